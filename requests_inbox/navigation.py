"""Requests in the sidebar, with the number of those that wait, and in the search."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from accounts.models import Membership, Role
from accounts.navigation import Counter, Place, register_counter, register_places
from accounts.palette import Goal, register_goals


def takes_requests(membership: Membership) -> bool:
    """Requests need seats (R1): without them there is no number to show."""
    return membership.organization.has_seats


register_places(
    Place(
        "requests",
        gettext_lazy("Requests"),
        "inbox",
        Role.ADMIN,
        order=12,
        shows=takes_requests,
    )
)
register_counter(
    Counter(
        place="requests",
        template="requests_inbox/_nav_count.html",
        topbar_template="requests_inbox/_topbar_count.html",
        shows=takes_requests,
    )
)
register_goals(
    Goal(
        "review_requests",
        gettext_lazy("Review requests"),
        "inbox",
        Role.ADMIN,
        is_act=True,
        words=gettext_lazy("approve dismiss increase limit waiting"),
        shows=takes_requests,
    ),
    Goal(
        "own_requests",
        gettext_lazy("Your requests"),
        "send",
        Role.MEMBER,
        words=gettext_lazy("ask more usage history"),
        shows=takes_requests,
    ),
)
