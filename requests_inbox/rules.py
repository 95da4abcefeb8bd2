"""When a request ends by itself, when one may be sent again, and when a digest is due
(R1, R5, R6). Pure.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from billing.funding.rules.decision import extra_usage_refusal
from billing.funding.rules.standing import CAP_REASONS, SEAT_PLAN, Standing
from config.kit.months import local_day

RESOLVED, WITHDRAWN = "resolved", "withdrawn"


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a request keeps of the moment it was sent: seat tier, reason for the block, first
    day of the billing month.
    """

    seat_tier: str
    reason: str
    month_on: dt.date


def lapsed_status(facts: RequestFacts, standing: Standing) -> str | None:
    """The status of a request that nobody decided and that has ended by itself (R5); None
    while it is still pending.

    A reset of the included usage alone does not end it, nor does a seat that was only
    taken away.
    """
    if not standing.is_active:
        return WITHDRAWN
    if standing.organization.plan != SEAT_PLAN:
        return RESOLVED
    if standing.seat_tier is None:
        return None
    refusal = extra_usage_refusal(standing)
    if refusal is None or (
        standing.seat_tier != facts.seat_tier and standing.has_included_left
    ):
        return RESOLVED
    # In a new month the old cap let them go on, even if they have reached the new one by now.
    is_new_month = standing.organization.month.first_on > facts.month_on
    has_spent = standing.spent_nanos > 0
    return RESOLVED if is_new_month and has_spent and refusal in CAP_REASONS else None


def may_ask_again_at(dismissed_at: dt.datetime, *, pause: dt.timedelta) -> dt.datetime:
    """When the link is back after a dismissal (R4)."""
    return dismissed_at + pause


def digest_of(now: dt.datetime, *, zone: str, hour: int) -> tuple[dt.date, dt.datetime]:
    """The latest digest that is due at `now`: its local date, and the instant of its
    hour on that date (R6).

    A local hour that a change of clocks skips is taken an hour later, one that comes
    twice at its first coming.
    """
    local_on = local_day(now, zone)
    for day in (local_on, local_on - dt.timedelta(days=1)):
        due_at = dt.datetime.combine(day, dt.time(hour), ZoneInfo(zone)).astimezone(
            dt.UTC
        )
        if due_at <= now:
            return day, due_at
    raise AssertionError("yesterday's hour is always past")
