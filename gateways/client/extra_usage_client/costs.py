"""What calls usually cost, by member and model, from what the server answers."""

from __future__ import annotations

from extra_usage_client.memory import Bounded

UP, DOWN = 4, 16  # a dearer call counts for a quarter, a cheaper one for a sixteenth


class TypicalCosts:
    """A slow average in nano-USD that rises faster than it falls.

    Whoever was not seen yet is taken to be like others with that model; a model that
    was not seen, like what comes first in `first`.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._costs: Bounded[tuple[str, str], int] = Bounded(20_000)

    def of(self, member: str, model: str) -> int:
        """What a call of the member is expected to cost, at least 1."""
        for key in ((member, model), ("", model)):
            if key in self._costs:
                return max(1, self._costs[key])
        return max(1, self._first)

    def note(self, member: str, model: str, nanos: int) -> None:
        """A call that cost so much."""
        for key in ((member, model), ("", model)):
            before = self._costs.get(key)
            if before is None:
                self._costs[key] = nanos
                continue
            step = UP if nanos > before else DOWN
            self._costs[key] = before + (nanos - before) // step
