"""A call from its ask to its report, and the calls that run."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from extra_usage_client.answers import Answer

LIFETIME = 3_600.0  # seconds; a call that nobody ended by then counts no more
MOST_RUNNING = 100_000


@dataclass(slots=True, eq=False)
class Call:
    """One call of a member: allowed or not, and what is needed to report it.

    `expected_nanos` counts against what is left until the call is settled.
    """

    member: str
    surface: str
    model: str
    answer: Answer
    expected_nanos: int = 0
    began: float = field(default_factory=time.monotonic)
    is_settled: bool = False

    @property
    def allowed(self) -> bool:
        """Whether it may run."""
        return self.answer.allowed


class Running:
    """Calls that are not settled: first by themselves, then by the id of their event.

    Bounded: beyond MOST_RUNNING, or an hour, the oldest are taken for settled.
    """

    def __init__(self) -> None:
        self._calls: OrderedDict[Call, None] = OrderedDict()
        self._reported: dict[str, Call] = {}
        self._ids: dict[Call, str] = {}

    def add(self, call: Call) -> None:
        """A call begins."""
        self._calls[call] = None

    def reported(self, call: Call, event_id: str) -> None:
        """The call's event waits to be taken."""
        if call in self._calls:
            self._reported[event_id] = call
            self._ids[call] = event_id

    def by_event(self, event_id: str) -> Call | None:
        """The call whose event has this id."""
        return self._reported.get(event_id)

    def remove(self, call: Call) -> None:
        """The call is settled."""
        self._calls.pop(call, None)
        event_id = self._ids.pop(call, None)
        if event_id is not None:
            self._reported.pop(event_id, None)

    def forgotten(self, now: float) -> list[Call]:
        """Calls that count no more: nobody ended them, or there are too many."""
        over = max(0, len(self._calls) - MOST_RUNNING)
        return [
            call
            for position, call in enumerate(self._calls)
            if position < over or now > call.began + LIFETIME
        ]
