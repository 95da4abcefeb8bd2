"""When auto-reload buys, and how much (T4, T5). Pure: whole nano-USD, instants in UTC; no clock, no database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

MOST_A_DAY = 5
# After the first decline of a series, the next tries come this much later; then auto-reload goes off (T5).
RETRIES = (dt.timedelta(hours=1), dt.timedelta(hours=6), dt.timedelta(hours=24))


class Hold(StrEnum):
    """Why auto-reload does not buy although the balance has reached the threshold."""

    EXTRA_USAGE_OFF = "extra_usage_off"
    CAP_REACHED = "cap_reached"
    NO_CARD = "no_card"
    IN_FLIGHT = "in_flight"
    DECLINED = "declined"
    DAILY_COUNT = "daily_count"
    MONTHLY_LIMIT = "monthly_limit"


@dataclass(frozen=True, slots=True)
class ReloadState:
    """All that the decision looks at. `limit_nanos` None: no monthly limit. `retry_at`: no try before, after a decline."""

    enabled: bool
    threshold_nanos: int
    amount_nanos: int
    balance_nanos: int
    is_on: bool
    cap_is_reached: bool
    has_card: bool
    is_in_flight: bool
    retry_at: dt.datetime | None
    bought_today: int
    bought_this_month_nanos: int
    limit_nanos: int | None


@dataclass(frozen=True, slots=True)
class Reload:
    """What to do now: buy `amount_nanos`, or nothing because of `hold`, or nothing at all to do."""

    amount_nanos: int = 0
    hold: Hold | None = None


NOTHING = Reload()


def reload_now(state: ReloadState, *, now: dt.datetime) -> Reload:
    """The one purchase that is due, in whole multiples of the reload amount (T4)."""
    if not state.enabled or state.balance_nanos > state.threshold_nanos:
        return NOTHING
    hold = _hold(state, now=now)
    if hold is not None:
        return Reload(hold=hold)
    wanted = (state.threshold_nanos - state.balance_nanos) // state.amount_nanos + 1
    if state.limit_nanos is not None:
        wanted = min(wanted, (state.limit_nanos - state.bought_this_month_nanos) // state.amount_nanos)
    return Reload(wanted * state.amount_nanos) if wanted > 0 else Reload(hold=Hold.MONTHLY_LIMIT)


def _hold(state: ReloadState, *, now: dt.datetime) -> Hold | None:
    if not state.is_on:
        return Hold.EXTRA_USAGE_OFF
    if state.cap_is_reached:
        return Hold.CAP_REACHED
    if not state.has_card:
        return Hold.NO_CARD
    if state.is_in_flight:
        return Hold.IN_FLIGHT
    if state.retry_at is not None and now < state.retry_at:
        return Hold.DECLINED
    return Hold.DAILY_COUNT if state.bought_today >= MOST_A_DAY else None


def next_try_at(*, declined_at: dt.datetime, declines: int, now: dt.datetime) -> dt.datetime | None:
    """When to try again after the `declines`th decline of a series that began at `declined_at`; None: never again.

    The tries are 1, 6 and 24 hours after the first decline; a late one still leaves an hour before the next.
    """
    if declines > len(RETRIES):
        return None
    return max(declined_at + RETRIES[declines - 1], now + RETRIES[0])
