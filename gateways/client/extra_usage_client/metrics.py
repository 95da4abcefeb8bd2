"""Counters of one client, to read or to scrape."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Metrics:
    """Since the start of the process; `spooled` and `breaker_open` are of now."""

    asks: int = 0  # that went to the server
    allowed: int = 0
    refused: int = 0
    leased: int = 0  # allowed by a lease, without an ask
    near_limit_waits: int = 0
    near_limit_refusals: int = 0
    ask_failures: int = 0  # no answer within the time-out, or none that can be read
    outage_allowed: int = 0
    outage_refused: int = 0
    reported: int = 0  # events written to the spool
    recorded: int = 0
    duplicates: int = 0
    set_aside: int = 0  # the server will never take them: see the folder `aside`
    report_failures: int = 0  # tries that the server did not take
    key_refused: int = 0  # tries answered 401 or 403
    taken_over: int = 0  # files of processes that ended
    spool_failures: int = 0  # the disk did not take it: kept in memory
    lost: int = 0  # neither disk nor memory took it
    spooled: int = 0
    breaker_open: int = 0

    def as_dict(self) -> dict[str, int]:
        """All counters by name."""
        return asdict(self)

    def as_prometheus(self, prefix: str = "extra_usage_client_") -> str:
        """All counters in the text format of Prometheus."""
        lines = []
        for name, value in asdict(self).items():
            is_gauge = name in ("spooled", "breaker_open")
            full = f"{prefix}{name}" if is_gauge else f"{prefix}{name}_total"
            lines.append(f"# TYPE {full} {'gauge' if is_gauge else 'counter'}")
            lines.append(f"{full} {value}")
        return "\n".join(lines) + "\n"
