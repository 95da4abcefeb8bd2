"""What a cap would do, before it is saved: whom it stops or lets go on now, and whom it
would have paused last month.

Read-only; amounts are nano-USD. The rules are those of the check itself
(`funding.rules`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.db import connection

from billing.funding.rules.decision import extra_usage_refusal
from billing.funding.rules.standing import Cap, OrganizationStanding, Reason, Standing
from billing.models import BillingAccount, MemberMonth
from billing.reports.queries.members import NAMELESS, shared_params
from billing.reports.queries.month import MonthSummary, day_reached
from billing.reports.rules.verdict import Verdict, judge
from config.kit.months import previous_month


@dataclass(frozen=True, slots=True)
class OrganizationEffect:
    """The month under another organization cap, and the day of last month on which it
    would have been reached.
    """

    verdict: Verdict
    last_month_reached_on: dt.date | None


def organization_effect(
    summary: MonthSummary, *, amount_nanos: int
) -> OrganizationEffect:
    """The effect of an organization cap of `amount_nanos`; needs no query of its own."""
    verdict = judge(
        summary.projection,
        cap_nanos=amount_nanos,
        spent_nanos=summary.spent_nanos,
        last_on=summary.month.last_on,
    )
    reached = (
        day_reached(summary.last_month_by_day, amount_nanos)
        if summary.last_month_nanos
        else None
    )
    return OrganizationEffect(verdict, reached)


def reload_under_cap(organization_id: int) -> int | None:
    """The reload amount where the organization's cap limits auto-reload (nano-USD); None
    where it is off or has a limit of its own.
    """
    accounts = BillingAccount.objects.filter(
        organization_id=organization_id,
        auto_reload_enabled=True,
        reload_limit_nanos=None,
    )
    return accounts.values_list("reload_amount_nanos", flat=True).first()


@dataclass(frozen=True, slots=True)
class SeatEffect:
    """Of the members on a seat tier without a cap of their own: who stops, who goes on,
    who would have been paused.
    """

    people: int
    stop_now: int
    go_on: int
    paused_last_month: int
    most_spent_nanos: int


SEAT_EFFECT = f"""
{NAMELESS}
SELECT COUNT(*),
       COALESCE(SUM(CASE WHEN reason IN ('', 'confirmation_needed')
                          AND spent >= %(amount)s
                         THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN reason = 'seat_tier_cap_reached' AND spent < %(amount)s
                         THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN last.extra_nanos > 0 AND last.extra_nanos >= %(amount)s
                         THEN 1 ELSE 0 END), 0),
       COALESCE(MAX(spent), 0)
  FROM members
  LEFT JOIN billing_membermonth last
         ON last.membership_id = members.id
        AND last.month_on = %(last_month)s
 WHERE seat_tier = %(tier)s
   AND own_cap IS NULL
"""


def seat_effect(
    organization: OrganizationStanding, *, tier: str, amount_nanos: int
) -> SeatEffect:
    """The effect of a seat cap of `amount_nanos` on `tier`, in one query."""
    params = shared_params(organization) | {
        "amount": amount_nanos,
        "tier": tier,
        "last_month": previous_month(organization.month.first_on),
    }
    with connection.cursor() as cursor:
        cursor.execute(SEAT_EFFECT, params)
        return SeatEffect(*(int(value) for value in cursor.fetchone()))


@dataclass(frozen=True, slots=True)
class MemberEffect:
    """One member's check of extra usage before and after, their spending and last month's."""

    before: Reason | None
    after: Reason | None
    spent_nanos: int
    last_month_nanos: int
    amount_nanos: int

    @property
    def left_nanos(self) -> int:
        """What the member could still spend."""
        return max(0, self.amount_nanos - self.spent_nanos)

    @property
    def is_reached(self) -> bool:
        """Whether the member has spent as much already."""
        return self.spent_nanos >= self.amount_nanos


def member_effect(standing: Standing, *, amount_nanos: int) -> MemberEffect:
    """The effect of an individual cap of `amount_nanos`, by the check's own rule."""
    capped = replace(standing, own_cap=Cap(amount_nanos))
    last_on = previous_month(standing.organization.month.first_on)
    last_month = MemberMonth.objects.filter(
        membership_id=standing.membership_id, month_on=last_on
    )
    return MemberEffect(
        extra_usage_refusal(standing),
        extra_usage_refusal(capped),
        standing.spent_nanos,
        last_month.values_list("extra_nanos", flat=True).first() or 0,
        amount_nanos,
    )
