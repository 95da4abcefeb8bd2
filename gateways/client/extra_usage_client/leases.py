"""Leases: what members may spend without a further ask (X5)."""

from __future__ import annotations

from dataclasses import dataclass

from extra_usage_client.answers import Lease
from extra_usage_client.memory import Bounded


@dataclass(slots=True)
class _Open:
    left: int  # nano-USD
    until: float  # of the monotonic clock
    funding: str | None


class Leases:
    """The open leases by member; a call takes its expected cost from one."""

    def __init__(self) -> None:
        self._open: Bounded[str, _Open] = Bounded()

    def keep(
        self, member: str, lease: Lease, *, funding: str | None, asked_at: float
    ) -> None:
        """A lease that was answered; its time runs from the moment of the ask. Of many
        asks at once the first one's holds.
        """
        held = self._open.get(member)
        if held is None or asked_at >= held.until:
            until = asked_at + lease.seconds
            self._open[member] = _Open(lease.nanos, until, funding)

    def end(self, member: str) -> None:
        """The member was told something else."""
        self._open.pop(member, None)

    def take(self, member: str, nanos: int, *, now: float) -> str | None:
        """Who pays for a call that is expected to cost so much, by the member's lease;
        None where there is none, or it is used up or over.
        """
        lease = self._open.get(member)
        if lease is None:
            return None
        if now >= lease.until or lease.left < nanos:
            self.end(member)
            return None
        lease.left -= nanos
        return lease.funding or "extra_usage"

    def spent(self, member: str, nanos: int) -> None:
        """What a call cost beyond what was expected (below 0: less)."""
        lease = self._open.get(member)
        if lease is not None:
            lease.left -= nanos
