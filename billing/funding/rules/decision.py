"""Who pays for the next request, and if nobody: why and until when (E1, E2).

Pure arithmetic over a `Standing`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from billing.funding.rules.confirmation import extra_usage_begins, waits_for_yes
from billing.funding.rules.layers import Layer, layers
from billing.funding.rules.standing import (
    CAP_REASONS,
    EXTRA_USAGE,
    INCLUDED,
    CapSource,
    Reason,
    Standing,
    WindowState,
)


@dataclass(slots=True, frozen=True)
class Decision:
    """The answer to a check (E1): `funding` when allowed, else one `reason` and when it
    ends by itself. At a change-over extra usage begins with the next request (N5).
    """

    allowed: bool
    funding: str | None
    reason: Reason | None = None
    resets_at: dt.datetime | None = None
    layers: tuple[Layer, ...] = ()
    is_changeover: bool = False


ALLOWED_INCLUDED = Decision(True, INCLUDED)
ALLOWED_EXTRA = Decision(True, EXTRA_USAGE)
CHANGEOVER = Decision(True, EXTRA_USAGE, is_changeover=True)


# Without a seat it is for an owner to act, and one's own yes for oneself (N5).
NOTHING_TO_REQUEST = frozenset(
    {
        Reason.MEMBER_INACTIVE,
        Reason.SEAT_UNASSIGNED,
        Reason.CONFIRMATION_NEEDED,
    }
)


def may_request(standing: Standing, reason: Reason | None) -> bool:
    """Whether somebody refused for `reason` may ask the admins for more usage (R1)."""
    return (
        standing.organization.takes_requests
        and reason is not None
        and reason not in NOTHING_TO_REQUEST
    )


def funding_or_reason(
    standing: Standing, windows: Sequence[WindowState]
) -> tuple[str, None] | tuple[None, Reason]:
    """Who pays for a request in these windows, or the one reason why nobody does (E1,
    E2). For the next request the windows are the standing's own.
    """
    reason = _membership_refusal(standing)
    if reason is None and standing.includes_more_of(windows):
        return INCLUDED, None
    reason = reason or extra_usage_refusal(standing)
    if reason is None and waits_for_yes(standing):
        reason = Reason.CONFIRMATION_NEEDED
    if reason is None:
        return EXTRA_USAGE, None
    return None, reason


def decide(standing: Standing) -> Decision:
    """The whole answer to a check: with every layer and the end of the block when it
    refuses (E1, E2).
    """
    funding, reason = funding_or_reason(standing, standing.windows)
    if reason is None:
        if funding == INCLUDED:
            return ALLOWED_INCLUDED
        return CHANGEOVER if extra_usage_begins(standing) else ALLOWED_EXTRA
    return Decision(
        False, None, reason, ends_at(standing, reason), layers(standing, reason)
    )


def _membership_refusal(standing: Standing) -> Reason | None:
    if not standing.is_active:
        return Reason.MEMBER_INACTIVE
    return Reason.SEAT_UNASSIGNED if standing.seat_tier is None else None


def extra_usage_refusal(standing: Standing) -> Reason | None:
    """The first reason, in E2's order, for which extra usage can't pay; None when it can,
    if need be after the member's own yes (N5).
    """
    organization = standing.organization
    if not organization.is_on:
        return Reason.EXTRA_USAGE_DISABLED
    if not standing.is_enabled:
        return Reason.MEMBER_NOT_ENABLED
    if organization.cap.is_reached(organization.spent_nanos):
        return Reason.ORGANIZATION_CAP_REACHED
    if standing.cap.is_reached(standing.spent_nanos):
        own = standing.cap_source is CapSource.MEMBER
        return Reason.MEMBER_CAP_REACHED if own else Reason.SEAT_TIER_CAP_REACHED
    if organization.balance_is_gone:
        return Reason.BALANCE_EXHAUSTED
    return None


def ends_at(standing: Standing, reason: Reason) -> dt.datetime | None:
    """The earliest moment at which the member can go on if nobody changes anything (E1);
    None where waiting does not help.
    """
    if reason in (Reason.MEMBER_INACTIVE, Reason.SEAT_UNASSIGNED):
        return None
    ends = [_month_frees(standing, reason)]
    if standing.organization.has_windows:
        ends.append(standing.included_resets_at)
    return min((end for end in ends if end is not None), default=None)


def _month_frees(standing: Standing, reason: Reason) -> dt.datetime | None:
    """The month's end, where the new month's caps let extra usage start again."""
    organization = standing.organization
    if reason not in CAP_REASONS or organization.balance_is_gone:
        return None
    if organization.cap.later_nanos == 0 or standing.next_cap_nanos == 0:
        return None
    return organization.month.end
