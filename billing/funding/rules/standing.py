"""One member's standing as plain values, for a check, the recorder and the pages.

Pure: `funding.queries` reads it from the rows, `funding.rules.decision` decides on it.
Amounts are nano-USD, times UTC instants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
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


CAP_REASONS = frozenset(
    {
        Reason.ORGANIZATION_CAP_REACHED,
        Reason.MEMBER_CAP_REACHED,
        Reason.SEAT_TIER_CAP_REACHED,
    }
)


class CapSource(StrEnum):
    """Where a member's effective cap comes from (C2)."""

    MEMBER = "member"
    SEAT_TIER = "seat_tier"
    NONE = "none"


@dataclass(slots=True, frozen=True)
class Cap:
    """A cap this month (`amount_nanos`; None is unlimited) and what holds from the next
    month on.
    """

    amount_nanos: int | None = None
    month_only: bool = False
    later_nanos: int | None = None

    def is_reached(self, spent_nanos: int) -> bool:
        """Reached means spent >= cap; a cap of 0 allows none (E2)."""
        return self.amount_nanos is not None and spent_nanos >= self.amount_nanos


NO_CAP = Cap()


@dataclass(slots=True)
class WindowState:
    """One included window at a moment.

    `opened_at` and `resets_at` are empty while none is open (I2).
    """

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
    # Prepaid only: what may still be spent, and the balance at which something is to be
    # done about it (T2, T4).
    balance_nanos: int | None = None
    threshold_nanos: int = 0
    # The same as it was set; None where it never was.
    reload_threshold_nanos: int | None = None
    auto_reload: bool = False
    requests_enabled: bool = True
    leases_allowed: bool = False

    @property
    def has_windows(self) -> bool:
        """Whether seats include usage; a usage-based plan bills every token (D2)."""
        return self.plan != USAGE_PLAN

    @property
    def takes_requests(self) -> bool:
        """Whether members may ask for more usage: seat-based Enterprise, unless owners
        switched it off (R1, R4a).
        """
        return self.plan == SEAT_PLAN and self.requests_enabled

    @property
    def is_prepaid(self) -> bool:
        """Whether extra usage draws on a balance; it follows the settlement, not the
        plan's name (D2).
        """
        return self.balance_nanos is not None

    @property
    def balance_is_gone(self) -> bool:
        """Whether a prepaid balance has nothing left."""
        return self.balance_nanos is not None and self.balance_nanos <= 0

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
    # All that was used this month, whoever paid.
    events: int = 0
    cost_nanos: int = 0
    # Not active because an operator switched the account off, not because they were removed.
    is_switched_off: bool = False
    # No member, but the line for usage of somebody unknown (X2).
    is_nobody: bool = False

    @property
    def is_enabled(self) -> bool:
        """Whether extra usage is on for this member: switch and scope, for somebody who
        holds a seat (C6). For somebody unknown it is where it is on for everyone.
        """
        organization = self.organization
        in_scope = (
            organization.plan == USAGE_PLAN
            or organization.scope == "everyone"
            or self.selected
        )
        holds_seat = self.is_active and self.seat_tier is not None
        return (holds_seat or self.is_nobody) and organization.is_on and in_scope

    @property
    def cap_source(self) -> CapSource:
        """Own cap, else the seat tier's (seat-based Enterprise only), else none (C1, C2)."""
        if self.own_cap.amount_nanos is not None:
            return CapSource.MEMBER
        if (
            self.organization.plan == SEAT_PLAN
            and self.seat_cap.amount_nanos is not None
        ):
            return CapSource.SEAT_TIER
        return CapSource.NONE

    @property
    def cap(self) -> Cap:
        """The effective cap this month."""
        return {
            CapSource.MEMBER: self.own_cap,
            CapSource.SEAT_TIER: self.seat_cap,
            CapSource.NONE: NO_CAP,
        }[self.cap_source]

    @property
    def next_cap_nanos(self) -> int | None:
        """The effective cap from the next month on, when this month's own amounts have
        fallen back.
        """
        if self.own_cap.later_nanos is not None:
            return self.own_cap.later_nanos
        return (
            self.seat_cap.later_nanos if self.organization.plan == SEAT_PLAN else None
        )

    @property
    def has_included_left(self) -> bool:
        """Whether the windows of this moment have some left."""
        return self.includes_more_of(self.windows)

    def includes_more_of(self, windows: Sequence[WindowState]) -> bool:
        """While every window has some left (I2).

        A plan or seat without windows includes nothing.
        """
        return (
            self.organization.has_windows
            and bool(windows)
            and not any(window.is_exhausted for window in windows)
        )

    @property
    def included_resets_at(self) -> dt.datetime | None:
        """The latest reset of the exhausted windows (I3); None where waiting would not help."""
        exhausted = [window for window in self.windows if window.is_exhausted]
        resets = [window.resets_at for window in exhausted if window.resets_at]
        if len(resets) < len(exhausted):
            return None
        return max(resets, default=None)
