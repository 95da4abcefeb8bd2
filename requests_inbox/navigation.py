"""The number of requests that wait, in the sidebar beside Settings › Usage."""

from __future__ import annotations

from accounts.models import Membership
from accounts.navigation import Counter, register_counter


def takes_requests(membership: Membership) -> bool:
    """Requests need seats (R1): without them there is no number to show."""
    return membership.organization.has_seats


register_counter(
    Counter(
        place="usage_settings",
        template="requests_inbox/_nav_count.html",
        topbar_template="requests_inbox/_topbar_count.html",
        shows=takes_requests,
    )
)
