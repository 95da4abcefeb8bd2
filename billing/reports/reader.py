"""Who looks at an organization, at what moment: the values that every page about its
usage starts from.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from accounts.models import Membership, Plan, Role
from billing.funding.queries import standing_of
from billing.funding.rules.standing import OrganizationStanding
from billing.reports.queries.members import MemberCounts, member_counts
from billing.reports.queries.month import MonthSummary, month_summary
from config.kit.dates import zone_city_text


@dataclass
class Reader:
    """One reader's look at an organization at one moment; queries run when a value is
    first needed.
    """

    membership: Membership
    now: dt.datetime

    @property
    def organization(self) -> Any:
        """The organization looked at."""
        return self.membership.organization

    @property
    def can_edit(self) -> bool:
        """Owners change caps and the switch; admins read (D3)."""
        return self.membership.is_at_least(Role.OWNER)

    @cached_property
    def standing(self) -> OrganizationStanding:
        """What all members share, from the same query as a check."""
        standing = standing_of(
            self.membership.pk,
            organization_id=self.membership.organization_id,
            now=self.now,
        )
        return standing.organization

    @cached_property
    def summary(self) -> MonthSummary:
        """The running month."""
        return month_summary(self.standing, now=self.now)

    @cached_property
    def counts(self) -> MemberCounts:
        """All members by state and seat tier."""
        return member_counts(self.standing)

    @property
    def is_usage_based(self) -> bool:
        """A plan on which every token is billed and nothing can be switched (D2)."""
        return bool(self.organization.plan == Plan.ENTERPRISE_USAGE)

    @property
    def is_prepaid(self) -> bool:
        """Whether usage is paid before, out of a balance; it follows the settlement,
        not the plan's name.
        """
        return self.standing.is_prepaid

    @property
    def is_on(self) -> bool:
        """Whether the page shows the month rather than the offer to enable."""
        return self.standing.is_on

    def shared(self) -> dict[str, Any]:
        """What every part needs."""
        return {
            "page": self,
            "organization": self.organization,
            "standing": self.standing,
            "month": self.standing.month,
            "zone_city": zone_city_text(self.standing.month.zone),
            "days_left": self.standing.month.days_left(self.now),
            "today": self.standing.month.day_of(self.now),
            "counts": self.counts,
            "can_edit": self.can_edit,
        }
