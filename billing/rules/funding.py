"""Who pays for the next request, and if nobody: why, until when, and every layer behind it (E1, E2, C2).

Pure arithmetic over a `Standing`. `queries.standing` reads it for a check; the recorder moves it forward event by
event. All amounts are nano-USD, all times UTC instants.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from config.kit.months import Month

SEAT_PLAN, USAGE_PLAN = "enterprise_seat", "enterprise_usage"
INCLUDED, EXTRA_USAGE, UNBILLED = "included", "extra_usage", "unbilled"


class Reason(StrEnum):
    """Why a check refuses, in the order in which they are looked at (E2)."""

    MEMBER_INACTIVE = "member_inactive"
    SEAT_UNASSIGNED = "seat_unassigned"
    EXTRA_USAGE_DISABLED = "extra_usage_disabled"
    MEMBER_NOT_ENABLED = "member_not_enabled"
    ORGANIZATION_CAP_REACHED = "organization_cap_reached"
    MEMBER_CAP_REACHED = "member_cap_reached"
    SEAT_TIER_CAP_REACHED = "seat_tier_cap_reached"
    BALANCE_EXHAUSTED = "balance_exhausted"


CAP_REASONS = frozenset({Reason.ORGANIZATION_CAP_REACHED, Reason.MEMBER_CAP_REACHED, Reason.SEAT_TIER_CAP_REACHED})


class CapSource(StrEnum):
    """Where a member's effective cap comes from (C2)."""

    MEMBER = "member"
    SEAT_TIER = "seat_tier"
    NONE = "none"


@dataclass(slots=True, frozen=True)
class Cap:
    """A cap this month (`amount_nanos`; None is unlimited) and what holds from the next month on."""

    amount_nanos: int | None = None
    month_only: bool = False
    later_nanos: int | None = None

    def is_reached(self, spent_nanos: int) -> bool:
        """Reached means spent >= cap; a cap of 0 allows none (E2)."""
        return self.amount_nanos is not None and spent_nanos >= self.amount_nanos


NO_CAP = Cap()


@dataclass(slots=True)
class WindowState:
    """One included window at a moment. `opened_at` and `resets_at` are empty while none is open (I2)."""

    name: str
    length: dt.timedelta
    limit_nanos: int
    used_nanos: int = 0
    opened_at: dt.datetime | None = None
    resets_at: dt.datetime | None = None

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing of it is left."""
        return self.used_nanos >= self.limit_nanos


@dataclass(slots=True)
class OrganizationStanding:
    """What all members of an organization share."""

    id: int
    slug: str
    name: str
    plan: str
    settlement: str
    month: Month
    enabled: bool
    scope: str
    cap: Cap
    spent_nanos: int
    balance_nanos: int | None = None

    @property
    def has_windows(self) -> bool:
        """Whether seats include usage; a usage-based plan bills every token (D2)."""
        return self.plan != USAGE_PLAN

    @property
    def is_on(self) -> bool:
        """Whether extra usage is on; for a usage-based plan it always counts as on (D2)."""
        return self.enabled or self.plan == USAGE_PLAN


@dataclass(slots=True)
class Standing:
    """Everything a check of one member looks at."""

    organization: OrganizationStanding
    membership_id: int
    email: str
    name: str
    language: str
    is_active: bool
    seat_tier: str | None
    selected: bool
    own_cap: Cap
    seat_cap: Cap
    spent_nanos: int
    windows: list[WindowState] = field(default_factory=list)

    @property
    def is_enabled(self) -> bool:
        """Whether extra usage is on for this member: switch and scope, for somebody who holds a seat (C6)."""
        organization = self.organization
        in_scope = organization.plan == USAGE_PLAN or organization.scope == "everyone" or self.selected
        return self.is_active and self.seat_tier is not None and organization.is_on and in_scope

    @property
    def cap_source(self) -> CapSource:
        """Own cap, else the seat tier's (seat-based Enterprise only), else none (C1, C2)."""
        if self.own_cap.amount_nanos is not None:
            return CapSource.MEMBER
        if self.organization.plan == SEAT_PLAN and self.seat_cap.amount_nanos is not None:
            return CapSource.SEAT_TIER
        return CapSource.NONE

    @property
    def cap(self) -> Cap:
        """The effective cap this month."""
        return {CapSource.MEMBER: self.own_cap, CapSource.SEAT_TIER: self.seat_cap, CapSource.NONE: NO_CAP}[
            self.cap_source
        ]

    @property
    def next_cap_nanos(self) -> int | None:
        """The effective cap from the next month on, when this month's own amounts have fallen back."""
        if self.own_cap.later_nanos is not None:
            return self.own_cap.later_nanos
        return self.seat_cap.later_nanos if self.organization.plan == SEAT_PLAN else None

    @property
    def has_included_left(self) -> bool:
        """While every window has some left (I2). A plan or seat without windows includes nothing."""
        return (
            self.organization.has_windows
            and bool(self.windows)
            and not any(window.is_exhausted for window in self.windows)
        )

    @property
    def included_resets_at(self) -> dt.datetime | None:
        """The latest reset of the exhausted windows (I3); None where waiting would not help."""
        resets = [window.resets_at for window in self.windows if window.is_exhausted]
        known = [moment for moment in resets if moment is not None]
        return max(known) if known and len(known) == len(resets) else None


class LayerState(StrEnum):
    """What a layer means for the person now. Exactly one layer of a refusal `BLOCKS`."""

    OK = "ok"
    USED_UP = "used_up"
    BLOCKS = "blocks"


class WhoCanChange(StrEnum):
    """Who can change a layer."""

    NOBODY = "nobody"
    OWNERS = "owners"
    OWNERS_ADMINS_ON_REQUEST = "owners_admins_on_request"


@dataclass(slots=True, frozen=True)
class Layer:
    """One thing that limits a person: `limit_nanos` None is unlimited or not an amount."""

    kind: str
    state: LayerState
    limit_nanos: int | None = None
    spent_nanos: int | None = None
    resets_at: dt.datetime | None = None
    who: WhoCanChange = WhoCanChange.OWNERS
    source: str = ""


@dataclass(slots=True, frozen=True)
class Decision:
    """The answer to a check (E1): `funding` when allowed, else one `reason` and when it ends by itself."""

    allowed: bool
    funding: str | None
    reason: Reason | None = None
    resets_at: dt.datetime | None = None
    layers: tuple[Layer, ...] = ()


ALLOWED_INCLUDED = Decision(True, INCLUDED)
ALLOWED_EXTRA = Decision(True, EXTRA_USAGE)


def funding_or_reason(standing: Standing) -> tuple[str, None] | tuple[None, Reason]:
    """Who pays for the next request, or the one reason why nobody does (E1, E2)."""
    reason = _membership_refusal(standing)
    if reason is None and standing.has_included_left:
        return INCLUDED, None
    reason = reason or extra_usage_refusal(standing)
    return (EXTRA_USAGE, None) if reason is None else (None, reason)


def decide(standing: Standing) -> Decision:
    """The whole answer to a check: with every layer and the end of the block when it refuses (E1, E2)."""
    funding, reason = funding_or_reason(standing)
    if reason is None:
        return ALLOWED_INCLUDED if funding == INCLUDED else ALLOWED_EXTRA
    return Decision(False, None, reason, ends_at(standing, reason), layers(standing, reason))


def _membership_refusal(standing: Standing) -> Reason | None:
    if not standing.is_active:
        return Reason.MEMBER_INACTIVE
    return Reason.SEAT_UNASSIGNED if standing.seat_tier is None else None


def extra_usage_refusal(standing: Standing) -> Reason | None:
    """The first reason, in E2's order, for which extra usage can't pay; None when it can."""
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
    if organization.balance_nanos is not None and organization.balance_nanos <= 0:
        return Reason.BALANCE_EXHAUSTED
    return None


def ends_at(standing: Standing, reason: Reason) -> dt.datetime | None:
    """The earliest moment at which the person can go on if nobody changes anything (E1); None: never by itself."""
    if reason in (Reason.MEMBER_INACTIVE, Reason.SEAT_UNASSIGNED):
        return None
    included = standing.included_resets_at if standing.organization.has_windows else None
    return min((moment for moment in (included, _month_frees(standing, reason)) if moment), default=None)


def _month_frees(standing: Standing, reason: Reason) -> dt.datetime | None:
    """The month's end, where the new month's caps let extra usage start again."""
    organization = standing.organization
    balance_is_gone = organization.balance_nanos is not None and organization.balance_nanos <= 0
    if reason not in CAP_REASONS or balance_is_gone:
        return None
    if organization.cap.later_nanos == 0 or standing.next_cap_nanos == 0:
        return None
    return organization.month.end


def layers(standing: Standing, reason: Reason | None) -> tuple[Layer, ...]:
    """Every layer that matters to the member, the blocking one marked, in the order the page shows them (E2)."""
    organization = standing.organization
    found: list[Layer] = []
    if reason in (Reason.MEMBER_INACTIVE, Reason.SEAT_UNASSIGNED):
        found.append(Layer("seat", LayerState.BLOCKS, source=standing.seat_tier or ""))
    if organization.has_windows:
        found += [_window_layer(window) for window in standing.windows]
        found.append(_switch_layer(standing, reason))
    found += [_member_cap_layer(standing, reason), _organization_cap_layer(organization, reason)]
    if organization.balance_nanos is not None:
        found.append(_balance_layer(organization, reason))
    return tuple(found)


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
    on_request = standing.organization.plan == SEAT_PLAN
    return Layer(
        "member_cap",
        _state(blocks, standing.cap.is_reached(standing.spent_nanos)),
        standing.cap.amount_nanos,
        standing.spent_nanos,
        standing.organization.month.end,
        WhoCanChange.OWNERS_ADMINS_ON_REQUEST if on_request else WhoCanChange.OWNERS,
        standing.cap_source,
    )


def _organization_cap_layer(organization: OrganizationStanding, reason: Reason | None) -> Layer:
    return Layer(
        "organization_cap",
        _state(reason is Reason.ORGANIZATION_CAP_REACHED, organization.cap.is_reached(organization.spent_nanos)),
        organization.cap.amount_nanos,
        organization.spent_nanos,
        organization.month.end,
    )


def _balance_layer(organization: OrganizationStanding, reason: Reason | None) -> Layer:
    balance = organization.balance_nanos or 0
    return Layer("balance", _state(reason is Reason.BALANCE_EXHAUSTED, balance <= 0), None, balance)
