"""Who pays for an event that ran, and why (E4, E5). Pure; amounts are nano-USD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from billing.funding.rules.decision import funding_or_reason
from billing.funding.rules.standing import (
    EXTRA_USAGE,
    UNBILLED,
    Standing,
    WindowState,
)
from billing.metering.rules.events import ReportedEvent
from billing.metering.rules.pricing import EventCharge

# A promise among all others: the member it was given to, and its number.
PromiseKey = tuple[int, int]


class Funded(NamedTuple):
    """Who pays for an event, why, and the reason a check would have refused it (empty
    unless it would have).
    """

    funding: str
    why: str
    refusal_reason: str = ""


class Presented(NamedTuple):
    """The promise an event came with, by its number, what it is worth, and the event it
    has paid for already, if any (E4).
    """

    number: int | None = None
    funding: str | None = None
    used_by: str | None = None


NONE_PRESENTED = Presented()


class PricedEvent(NamedTuple):
    """A new event with the member it belongs to, what it costs and who pays; `windows`
    are those it counts in, by name, with the ISO time each opened at. `sent_as` is the
    name it came under, where that is nobody's (X2).
    """

    event: ReportedEvent
    standing: Standing
    digest: str
    charge: EventCharge
    funded: Funded
    windows: dict[str, str]
    promise_number: int | None = None
    sent_as: str = ""


def funding_of_event(
    standing: Standing,
    *,
    promised: str | None,
    windows: Sequence[WindowState],
    own_word: bool = False,
) -> Funded:
    """The funding an authorization promised, else that of a check at the event's moment
    with the windows it fell into; an event that would have been refused ran all the
    same and is recorded: as extra usage where that was on for them, and on a
    usage-based plan always (D2).

    By a member's `own_word`, their personal token, nothing is charged that a check would
    have refused: else they could spend above every cap what nobody used (X3).
    """
    if promised:
        return Funded(promised, "promised")
    if standing.is_nobody:
        return _funding_of_nobody(standing)
    funding, reason = funding_or_reason(standing, windows)
    if funding:
        return Funded(funding, "checked")
    if own_word:
        return Funded(UNBILLED, "refused", str(reason))
    if standing.is_enabled or not standing.organization.has_windows:
        return Funded(EXTRA_USAGE, "refused", str(reason))
    return Funded(UNBILLED, "refused", str(reason))


# What a check answers for somebody unknown.
UNKNOWN = "member_not_found"


def _funding_of_nobody(standing: Standing) -> Funded:
    """Usage of somebody unknown uses up nothing that is included, and no cap stops it:
    it ran (X2).
    """
    is_extra = standing.is_enabled
    return Funded(EXTRA_USAGE if is_extra else UNBILLED, "refused", UNKNOWN)
