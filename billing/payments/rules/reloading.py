"""When auto-reload buys, and how much (T4, T5).

Pure: whole nano-USD, instants in UTC; no clock, no database.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from config.kit.money import NANOS_PER_USD

# The smallest and the largest purchase, by hand or by auto-reload.
LEAST_NANOS = 5 * NANOS_PER_USD
MOST_NANOS = 100_000 * NANOS_PER_USD
MOST_A_DAY = 5
NO_TIME = dt.timedelta()
# After the first decline of a series, the next tries come this much later; then
# auto-reload goes off (T5).
RETRIES = (dt.timedelta(hours=1), dt.timedelta(hours=6), dt.timedelta(hours=24))
# Answers that the same card gives for ever: asking again only tells the card networks
# that we do not listen (https://docs.stripe.com/declines/codes; what Stripe itself never
# retries: https://docs.stripe.com/billing/revenue-recovery/smart-retries). A bank that
# wants its customer there (`authentication_required`) may say yes the next time.
FINAL_DECLINES = frozenset(
    {
        "expired_card",
        "highest_risk_level",
        "incorrect_number",
        "invalid_account",
        "invalid_number",
        "lost_card",
        "merchant_blacklist",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "stop_payment_order",
        "transaction_not_allowed",
    }
)


def is_final(decline_code: str) -> bool:
    """Whether a declined card will never be accepted, however often it is tried (T5)."""
    return decline_code in FINAL_DECLINES


class Hold(StrEnum):
    """Why auto-reload does not buy although the balance has reached the threshold."""

    EXTRA_USAGE_OFF = "extra_usage_off"
    CAP_REACHED = "cap_reached"
    NO_CARD = "no_card"
    DISPUTED = "disputed"
    IN_FLIGHT = "in_flight"
    DECLINED = "declined"
    DAILY_COUNT = "daily_count"
    MONTHLY_LIMIT = "monthly_limit"


@dataclass(frozen=True, slots=True)
class ReloadState:
    """All that the decision looks at.

    `limit_nanos` None: no monthly limit. `retry_at`: no try before, after a decline.

    `most_nanos` is the largest single purchase. `is_disputed`: a bank decides about an
    earlier payment.
    """

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
    most_nanos: int = MOST_NANOS
    is_disputed: bool = False


@dataclass(frozen=True, slots=True)
class ReloadLimit:
    """The most that auto-reload buys in a month, beside the size of one reload and what
    it bought so far (nano-USD). `is_cap`: the organization's cap stands in for it (T4).
    """

    limit_nanos: int
    amount_nanos: int
    bought_nanos: int
    is_cap: bool

    @property
    def is_reached(self) -> bool:
        """Whether all of it is bought."""
        return self.bought_nanos >= self.limit_nanos

    @property
    def allows_any(self) -> bool:
        """Whether one reload fits in a whole month of it."""
        return self.amount_nanos <= self.limit_nanos

    @property
    def allows_another(self) -> bool:
        """Whether one more reload fits this month."""
        return self.bought_nanos + self.amount_nanos <= self.limit_nanos


@dataclass(frozen=True, slots=True)
class Reload:
    """What to do now: buy `amount_nanos`, or nothing because of `hold`, or nothing at
    all to do.
    """

    amount_nanos: int = 0
    hold: Hold | None = None


NOTHING = Reload()


def reload_now(state: ReloadState, *, now: dt.datetime) -> Reload:
    """The one purchase that is due, in whole multiples of the reload amount and no
    larger than purchases may be (T4).
    """
    if not state.enabled or state.balance_nanos > state.threshold_nanos:
        return NOTHING
    hold = _hold(state, now=now)
    if hold is not None:
        return Reload(hold=hold)
    wanted = (state.threshold_nanos - state.balance_nanos) // state.amount_nanos + 1
    wanted = min(wanted, state.most_nanos // state.amount_nanos)
    if state.limit_nanos is not None:
        wanted = min(
            wanted,
            (state.limit_nanos - state.bought_this_month_nanos) // state.amount_nanos,
        )
    return (
        Reload(wanted * state.amount_nanos)
        if wanted > 0
        else Reload(hold=Hold.MONTHLY_LIMIT)
    )


def _hold(state: ReloadState, *, now: dt.datetime) -> Hold | None:
    if not state.is_on:
        return Hold.EXTRA_USAGE_OFF
    if state.cap_is_reached:
        return Hold.CAP_REACHED
    if not state.has_card:
        return Hold.NO_CARD
    if state.is_disputed:
        return Hold.DISPUTED
    if state.is_in_flight:
        return Hold.IN_FLIGHT
    if state.retry_at is not None and now < state.retry_at:
        return Hold.DECLINED
    return Hold.DAILY_COUNT if state.bought_today >= MOST_A_DAY else None


def next_try_at(
    *, declined_at: dt.datetime, declines: int, now: dt.datetime
) -> dt.datetime | None:
    """When to try again after the `declines`th decline of a series that began at
    `declined_at`; None: never again.

    The tries are 1, 6 and 24 hours after the first decline. One that came more than an
    hour late, say because extra usage was off meanwhile, keeps the distance to the
    next, so that an old series is not run through in a hurry.
    """
    if declines > len(RETRIES):
        return None
    was_due_at = declined_at + (RETRIES[declines - 2] if declines > 1 else NO_TIME)
    is_late = now - was_due_at > RETRIES[0]
    return (
        now + gap_before(declines) if is_late else declined_at + RETRIES[declines - 1]
    )


def gap_before(retry: int) -> dt.timedelta:
    """How long after the try before it the `retry`th one comes, counted from 1."""
    return RETRIES[retry - 1] - (RETRIES[retry - 2] if retry > 1 else NO_TIME)


def threshold_is_in_reach(threshold_nanos: int, *, amount_nanos: int) -> bool:
    """Whether the largest purchase in whole reload amounts lifts an empty balance above
    the threshold.
    """
    return threshold_nanos < MOST_NANOS // amount_nanos * amount_nanos
