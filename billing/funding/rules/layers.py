"""Every layer that limits a member: limit, spent, its reset, who can change it (E2).

Pure. Amounts are nano-USD, times UTC instants.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from billing.funding.rules.standing import (
    OrganizationStanding,
    Reason,
    Standing,
    WindowState,
)


class LayerState(StrEnum):
    """What a layer means for the member now. Exactly one layer of a refusal `BLOCKS`."""

    OK = "ok"
    USED_UP = "used_up"
    BLOCKS = "blocks"


class WhoCanChange(StrEnum):
    """Who can change a layer."""

    NOBODY = "nobody"
    MEMBER = "member"
    OWNERS = "owners"
    OWNERS_ADMINS_ON_REQUEST = "owners_admins_on_request"


@dataclass(slots=True, frozen=True)
class Layer:
    """One thing that limits a member: `limit_nanos` None is unlimited or not an amount."""

    kind: str
    state: LayerState
    limit_nanos: int | None = None
    spent_nanos: int | None = None
    resets_at: dt.datetime | None = None
    who: WhoCanChange = WhoCanChange.OWNERS
    source: str = ""


def layers(standing: Standing, reason: Reason | None) -> tuple[Layer, ...]:
    """Every layer that matters to the member, the blocking one marked, in the order the
    page shows them (E2).
    """
    organization = standing.organization
    limiting: list[Layer] = []
    if reason in (Reason.MEMBER_INACTIVE, Reason.SEAT_UNASSIGNED):
        limiting.append(
            Layer("seat", LayerState.BLOCKS, source=standing.seat_tier or "")
        )
    if organization.has_windows:
        limiting += [_window_layer(window) for window in standing.windows]
        limiting.append(_switch_layer(standing, reason))
    limiting += [
        _member_cap_layer(standing, reason),
        _organization_cap_layer(organization, reason),
    ]
    if organization.balance_nanos is not None:
        limiting.append(_balance_layer(organization, reason))
    if organization.asks_first:
        limiting.append(_confirmation_layer(standing, reason))
    return tuple(limiting)


def _state(blocks: bool, used_up: bool = False) -> LayerState:
    if blocks:
        return LayerState.BLOCKS
    return LayerState.USED_UP if used_up else LayerState.OK


def _window_layer(window: WindowState) -> Layer:
    return Layer(
        window.name,
        _state(False, window.is_exhausted),
        window.limit_nanos,
        window.used_nanos,
        window.resets_at,
        WhoCanChange.NOBODY,
    )


def _switch_layer(standing: Standing, reason: Reason | None) -> Layer:
    organization = standing.organization
    blocks = reason in (Reason.EXTRA_USAGE_DISABLED, Reason.MEMBER_NOT_ENABLED)
    return Layer(
        "extra_usage",
        _state(blocks, not standing.is_enabled),
        source=organization.scope if organization.is_on else "off",
    )


def _member_cap_layer(standing: Standing, reason: Reason | None) -> Layer:
    blocks = reason in (Reason.MEMBER_CAP_REACHED, Reason.SEAT_TIER_CAP_REACHED)
    on_request = standing.organization.takes_requests
    return Layer(
        "member_cap",
        _state(blocks, standing.cap.is_reached(standing.spent_nanos)),
        standing.cap.amount_nanos,
        standing.spent_nanos,
        standing.organization.month.end,
        WhoCanChange.OWNERS_ADMINS_ON_REQUEST if on_request else WhoCanChange.OWNERS,
        standing.cap_source,
    )


def _organization_cap_layer(
    organization: OrganizationStanding, reason: Reason | None
) -> Layer:
    return Layer(
        "organization_cap",
        _state(
            reason is Reason.ORGANIZATION_CAP_REACHED,
            organization.cap.is_reached(organization.spent_nanos),
        ),
        organization.cap.amount_nanos,
        organization.spent_nanos,
        organization.month.end,
    )


def _balance_layer(organization: OrganizationStanding, reason: Reason | None) -> Layer:
    balance = organization.balance_nanos or 0
    return Layer(
        "balance",
        _state(reason is Reason.BALANCE_EXHAUSTED, balance <= 0),
        None,
        balance,
    )


def _confirmation_layer(standing: Standing, reason: Reason | None) -> Layer:
    """The member's own yes (N5), and until when it holds."""
    is_confirmed = standing.is_confirmed
    return Layer(
        "confirmation",
        _state(reason is Reason.CONFIRMATION_NEEDED),
        resets_at=standing.confirmed_until if is_confirmed else None,
        who=WhoCanChange.MEMBER,
        source="confirmed" if is_confirmed else "",
    )
