"""What each month so far came to, of an organization or of one member. Read-only."""

from __future__ import annotations

import datetime as dt

from accounts.models import Organization
from billing.models import MemberMonth, OrganizationMonth


def organization_months(organization_id: int) -> dict[dt.date, int]:
    """Extra usage by month (nano-USD), months without any left out."""
    months = OrganizationMonth.objects.filter(organization_id=organization_id)
    return dict(months.values_list("month_on", "extra_nanos"))


def member_months(membership_id: int) -> dict[dt.date, int]:
    """One member's extra usage by month (nano-USD), months without any left out."""
    months = MemberMonth.objects.filter(membership_id=membership_id)
    return dict(months.values_list("month_on", "extra_nanos"))


def began_on(organization: Organization, months: dict[dt.date, int]) -> dt.date:
    """The first month there can be something of: in which the organization was made, or
    an earlier one with usage that was reported later.
    """
    made_on = organization.calendar.month_at(organization.created_at).first_on
    return min([made_on, *months])
