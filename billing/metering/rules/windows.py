"""The included windows that a batch of events uses up (I2).

Pure: it moves the standings' windows forward in memory; `metering.actions.rows` writes
the result. Amounts are nano-USD, times UTC instants.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from billing.funding.rules.standing import Standing, WindowState


@dataclass(slots=True)
class WindowUse:
    """What included events add to one window; `is_new` when the first of them opened it."""

    membership_id: int
    window: WindowState
    is_new: bool
    is_latest: bool = True
    added_nanos: int = 0
    exhausted_at: dt.datetime | None = None


class Windows:
    """Each member's included windows while a batch is folded.

    `closed` are the latest windows that are no longer open at `now`; a late event that
    fell into one counts there.
    """

    def __init__(
        self, closed: dict[tuple[int, str], WindowState], *, now: dt.datetime
    ) -> None:
        self.closed = closed
        self.now = now
        self.uses: dict[tuple[int, str, dt.datetime], WindowUse] = {}
        self.replaced: list[tuple[int, str]] = []

    def for_event(
        self, standing: Standing, occurred_at: dt.datetime
    ) -> list[WindowState]:
        """The windows that decide about an event: those open now, else the closed one
        it fell into, else fresh ones; none where the plan has no windows.
        """
        if not standing.organization.has_windows:
            return []
        return [
            self._choose(standing.membership_id, window, occurred_at)
            for window in standing.windows
        ]

    def _choose(
        self, membership_id: int, window: WindowState, occurred_at: dt.datetime
    ) -> WindowState:
        if window.opened_at is not None:
            return window
        closed = self.closed.get((membership_id, window.name))
        if (
            closed
            and closed.opened_at
            and closed.resets_at
            and closed.opened_at <= occurred_at < closed.resets_at
        ):
            return closed
        return window

    def use(
        self,
        standing: Standing,
        windows: list[WindowState],
        *,
        occurred_at: dt.datetime,
        cost: int,
    ) -> dict[str, str]:
        """Count an included event in its windows, opening those that are not open;
        which ones, for the event's row.
        """
        for window in windows:
            if window.opened_at is None:
                self._open(standing.membership_id, window, occurred_at)
            self._add(
                standing.membership_id, window, occurred_at=occurred_at, cost=cost
            )
        return {
            window.name: window.opened_at.isoformat()
            for window in windows
            if window.opened_at
        }

    def _open(
        self, membership_id: int, window: WindowState, occurred_at: dt.datetime
    ) -> None:
        """Open at the event's own time where the window would still be open now, else
        at the time of recording.
        """
        closed = self.closed.get((membership_id, window.name))
        after_closed = (
            closed is None
            or closed.resets_at is None
            or occurred_at >= closed.resets_at
        )
        window.opened_at = self.now
        if after_closed and occurred_at + window.length > self.now:
            window.opened_at = occurred_at
        window.resets_at = window.opened_at + window.length
        if closed is not None:
            self.replaced.append((membership_id, window.name))
        self.uses[membership_id, window.name, window.opened_at] = WindowUse(
            membership_id, window, is_new=True
        )

    def _add(
        self,
        membership_id: int,
        window: WindowState,
        *,
        occurred_at: dt.datetime,
        cost: int,
    ) -> None:
        assert window.opened_at is not None and window.resets_at is not None
        key = (membership_id, window.name, window.opened_at)
        use = self.uses.get(key)
        if use is None:
            use = self.uses[key] = WindowUse(membership_id, window, is_new=False)
        was_exhausted = window.is_exhausted
        window.used_nanos += cost
        use.added_nanos += cost
        if window.is_exhausted and not was_exhausted:
            use.exhausted_at = min(max(occurred_at, window.opened_at), window.resets_at)
