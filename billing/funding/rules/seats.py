"""A member as they were when a request ran: the seat they held at that moment, with what
it includes and its cap (E5). Pure; amounts are nano-USD, times UTC instants.

Only the recorder needs it, and only for members whose seat changed after the oldest
event of its batch.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import NamedTuple

from billing.funding.rules.standing import NO_CAP, Cap, Standing, WindowState


class HeldSeat(NamedTuple):
    """What held until a moment: a seat or none, for a member or somebody removed."""

    until_at: dt.datetime
    seat_tier: str | None
    is_active: bool


class Allowance(NamedTuple):
    """What a seat includes in one window."""

    length: dt.timedelta
    limit_nanos: int


@dataclass(slots=True)
class SeatHistory:
    """The seats somebody held, oldest first, the one they hold now, and by tier what
    each means.

    A member has one row of windows whatever the seat, so `windows` and `closed` are
    shared: a seat only says how much of them there is.
    """

    held: list[HeldSeat]
    seat_tier: str | None
    is_active: bool
    caps: dict[str, Cap] = field(default_factory=dict)
    allowances: dict[str, dict[str, Allowance]] = field(default_factory=dict)
    windows: dict[str, WindowState] = field(default_factory=dict)
    closed: dict[str, WindowState] = field(default_factory=dict)

    def at(self, moment: dt.datetime) -> tuple[str | None, bool]:
        """The seat at `moment`, and whether they were a member."""
        for held in self.held:
            if moment < held.until_at:
                return held.seat_tier, held.is_active
        return self.seat_tier, self.is_active


def sit_as_of(
    standing: Standing, history: SeatHistory | None, moment: dt.datetime
) -> None:
    """Make the standing that of its member at `moment`; without a history it is already."""
    if history is None:
        return
    standing.seat_tier, standing.is_active = history.at(moment)
    standing.seat_cap = history.caps.get(standing.seat_tier or "", NO_CAP)
    allowances = history.allowances.get(standing.seat_tier or "", {})
    standing.windows = []
    for name, allowance in sorted(allowances.items(), key=lambda one: one[1].length):
        for window in (history.windows[name], history.closed.get(name)):
            if window is not None:
                window.length, window.limit_nanos = allowance
        standing.windows.append(history.windows[name])
