"""What is remembered of members, bounded: whoever was not seen longest goes first."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from typing import Generic, TypeVar

from extra_usage_client.answers import Answer

MEMBERS = 10_000
K = TypeVar("K")
V = TypeVar("V")


class Bounded(OrderedDict[K, V], Generic[K, V]):
    """A mapping that forgets what was set longest ago once it holds `most`."""

    def __init__(self, most: int = MEMBERS) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self.most:
            self.popitem(last=False)


class Remembered:
    """The last answer of each member, for the time when nobody answers (X6)."""

    def __init__(self) -> None:
        self._refusals: Bounded[str, Answer] = Bounded()
        self._included: Bounded[str, None] = Bounded()

    def note(self, member: str, answer: Answer) -> None:
        """Keep what of an answer of the server holds on."""
        self._refusals.pop(member, None)
        self._included.pop(member, None)
        if not answer.allowed:
            self._refusals[member] = answer
        elif answer.funding == "included":
            self._included[member] = None

    def refusal(self, member: str, *, now: dt.datetime) -> Answer | None:
        """The member's last “no”, while it is not over."""
        answer = self._refusals.get(member)
        if answer and answer.resets_at and answer.resets_at <= now:
            del self._refusals[member]
            return None
        return answer

    def has_included(self, member: str) -> bool:
        """Whether the last call that was allowed was paid by included usage."""
        return member in self._included


class Breaker:
    """After a few asks in a row without an answer, nobody waits for the next ones; one
    at a time tries again.
    """

    FAILURES = 3
    FIRST, LONGEST = 1.0, 15.0  # seconds without asking

    def __init__(self) -> None:
        self._failures = 0
        self._pause = self.FIRST
        self._closed_until = 0.0
        self._is_trying = False

    def lets_ask(self, now: float) -> bool:
        """Whether to ask at this moment (of the monotonic clock)."""
        if self._failures < self.FAILURES:
            return True
        if now < self._closed_until or self._is_trying:
            return False
        self._is_trying = True
        return True

    def answered(self) -> None:
        """An ask was answered: all ask again."""
        self._failures, self._pause, self._is_trying = 0, self.FIRST, False

    def failed(self, now: float, *, wait: float | None = None) -> None:
        """An ask was not answered, or with the seconds after which to come again."""
        was_trying, self._is_trying = self._is_trying, False
        self._failures += 1 if wait is None else self.FAILURES
        if self._failures < self.FAILURES:
            return
        if now >= self._closed_until:
            self._closed_until = now + min(self.LONGEST, max(wait or 0.0, self._pause))
        if was_trying:
            self._pause = min(self.LONGEST, self._pause * 2)

    @property
    def is_open(self) -> bool:
        """Whether asks are left out at present."""
        return self._failures >= self.FAILURES
