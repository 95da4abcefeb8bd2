"""The included windows an event met: how much of each was used before it, in the order of
recording, so that a receipt proves who had to pay (E5, I2). Never writes.

Amounts are nano-USD. How much a seat includes is today's allowance: an earlier one is not
kept, while when a window ran out is.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Sum

from billing.models import (
    AdjustmentSource,
    Funding,
    FundingWhy,
    IncludedWindow,
    SeatAllowance,
    UsageAdjustment,
    UsageEvent,
)

# An event may be ahead of the clock by five minutes, and opens a window at its own time.
MARGIN = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class WindowBefore:
    """One window as the event found it; without `opened_at` none was open. `limit_nanos`
    is None where the seat has no such window any more.
    """

    name: str
    length: dt.timedelta
    limit_nanos: int | None
    used_nanos: int = 0
    opened_at: dt.datetime | None = None
    resets_at: dt.datetime | None = None
    exhausted_at: dt.datetime | None = None

    @property
    def is_used_up(self) -> bool:
        """Whether nothing of it was left."""
        return self.exhausted_at is not None

    @property
    def left_nanos(self) -> int:
        """What was left of it."""
        return max(0, (self.limit_nanos or 0) - self.used_nanos)


def windows_before(event: UsageEvent) -> list[WindowBefore]:
    """Each window of the event's seat, the shortest first; none for nobody's usage, and
    where the plan or the seat includes nothing.
    """
    if event.unattributed_id is not None:
        return []
    allowances = SeatAllowance.objects.filter(
        plan=event.organization.plan, seat_tier=event.seat_tier
    )
    return [
        _before(event, allowance) for allowance in allowances.order_by("length_seconds")
    ]


def last_included_before(
    event: UsageEvent, windows: list[WindowBefore]
) -> UsageEvent | None:
    """The included request recorded last before the event in any of the windows."""
    opened = [one for one in windows if one.opened_at is not None]
    if not opened:
        return None
    counted = Q()
    for window in opened:
        counted |= _counts_in(window.name, window.opened_at)
    earliest = min(one.opened_at for one in opened if one.opened_at)
    rows = _recorded_before(event, earliest).filter(counted)
    return rows.order_by("-pk").first()


def _before(event: UsageEvent, allowance: SeatAllowance) -> WindowBefore:
    name, length, limit = allowance.name, allowance.length, allowance.amount_nanos
    row, used = _window(event, name)
    if row is None:
        return WindowBefore(name, length, limit)
    ran_out = row.exhausted_at
    if event.funding == Funding.INCLUDED and event.funding_why == FundingWhy.CHECKED:
        ran_out = None  # it had some left then, whatever the allowance is now
    elif used < limit and (ran_out is None or ran_out > event.recorded_at):
        ran_out = None
    elif ran_out is None and used >= limit:
        ran_out = row.opened_at  # a smaller seat since: nothing was left of it
    return WindowBefore(
        name, length, limit, used, row.opened_at, row.resets_at, ran_out
    )


def _window(event: UsageEvent, name: str) -> tuple[IncludedWindow | None, int]:
    """The row of the window that decided about the event, and what was used of it: the
    one open when it was recorded, else the latest, if the event fell into that.
    """
    rows = IncludedWindow.objects.filter(
        membership_id=event.membership_id,
        name=name,
        opened_at__lte=event.recorded_at + MARGIN,
    ).order_by("-opened_at")
    for row in rows[:5]:
        before = _used(event, row)
        if before is None:  # opened by the event itself, or later
            continue
        fell = row.opened_at <= event.occurred_at < row.resets_at
        if row.resets_at > event.recorded_at or fell:
            return row, before
        break
    return None, 0


def _used(event: UsageEvent, row: IncludedWindow) -> int | None:
    """What of a window was used before the event; None where nothing was in it yet."""
    counted = _counts_in(row.name, row.opened_at)
    rows = _recorded_before(event, row.opened_at).filter(counted)
    used = rows.aggregate(sum=Sum("cost_nanos"))["sum"]
    if used is None:
        return None
    corrected = UsageAdjustment.objects.filter(
        event__in=rows,
        source=AdjustmentSource.REPORT,
        created_at__lt=event.recorded_at,
    )
    return used + (corrected.aggregate(sum=Sum("amount_nanos"))["sum"] or 0)


def _recorded_before(event: UsageEvent, since: dt.datetime) -> QuerySet[UsageEvent]:
    return UsageEvent.objects.filter(
        membership_id=event.membership_id,
        pk__lt=event.pk,
        funding=Funding.INCLUDED,
        recorded_at__gte=since - MARGIN,
    ).order_by()


def _counts_in(name: str, opened_at: dt.datetime | None) -> Q:
    assert opened_at is not None
    return Q(**{f"windows__{name}": opened_at.astimezone(dt.UTC).isoformat()})
