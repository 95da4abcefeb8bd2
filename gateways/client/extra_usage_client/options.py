"""What can be set, and the same from the environment (`EXTRA_USAGE_…`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from extra_usage_client.money import nanos_of

OnOutage = Literal["allow", "refuse", "allow_included"]
ON_OUTAGE: tuple[OnOutage, ...] = ("allow", "refuse", "allow_included")
YES, NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


class BadOption(ValueError):
    """An option that can't be meant; the message names it and says what can."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to reach Extra usage, and how careful to be. Seconds are of real time.

    Raises BadOption.
    """

    address: str  # of Extra usage, as in a browser: https://usage.acme.example
    key: str = field(repr=False)  # of scope `meter`; no log and no file holds it
    # Reports wait here until they are taken. A local disk, one folder for each
    # organization; all processes on a host share it.
    spool: Path = Path("extra-usage-spool")
    on_outage: OnOutage = "allow"
    timeout: float = 1.0  # for one ask
    leases: bool = False
    # Near a limit running calls are counted. Hosts don't see each other's: each
    # gives its own calls only its share of what is left.
    hosts: int = 1
    near_limit_wait: float = 30.0  # how long a call waits for running ones
    first_cost_nanos: int = 50_000_000  # a call's cost until the first one is known
    flush_timeout: float = 10.0  # at the end, for what is not yet taken
    # What was written survives the end of the process at once, and that of the
    # host after this time; None leaves it to the system (about 30 seconds).
    sync_every: float | None = 1.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadOption("address: must be like https://usage.acme.example")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise BadOption("address: holds more than scheme, host, port and path")
        if not self.key or not self.key.isascii() or not self.key.isprintable():
            raise BadOption("key: must be an API key of scope meter")
        if self.on_outage not in ON_OUTAGE:
            raise BadOption(f"on_outage: must be one of {', '.join(ON_OUTAGE)}")
        if self.timeout <= 0 or self.near_limit_wait < 0 or self.hosts < 1:
            raise BadOption("timeout, near_limit_wait and hosts: too small")

    def url(self, path: str) -> str:
        """The address of a call of the API, such as `authorize`."""
        return f"{self.address.rstrip('/')}/api/v1/{path}"


def options_from_environment(environ: Mapping[str, str] | None = None) -> Options:
    """Options by the variables that the README lists. Raises BadOption."""
    given = os.environ if environ is None else environ
    values: dict[str, object] = {
        "address": _needed(given, "EXTRA_USAGE_URL"),
        "key": _needed(given, "EXTRA_USAGE_KEY"),
        "spool": Path(given.get("EXTRA_USAGE_SPOOL") or "extra-usage-spool"),
        "on_outage": cast("OnOutage", given.get("EXTRA_USAGE_ON_OUTAGE") or "allow"),
        "leases": _flag(given, "EXTRA_USAGE_LEASES"),
    }
    for name in ("timeout", "near_limit_wait", "flush_timeout", "sync_every"):
        if text := given.get(f"EXTRA_USAGE_{name.upper()}"):
            values[name] = _number(name, text)
    if text := given.get("EXTRA_USAGE_HOSTS"):
        values["hosts"] = int(_number("hosts", text))
    if text := given.get("EXTRA_USAGE_FIRST_COST_USD"):
        values["first_cost_nanos"] = _amount("EXTRA_USAGE_FIRST_COST_USD", text)
    return Options(**values)  # type: ignore[arg-type]


def _needed(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "").strip()
    if not value:
        raise BadOption(f"{name}: is not set")
    return value


def _flag(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "").strip().lower()
    if value not in YES + NO:
        raise BadOption(f"{name}: must be true or false")
    return value in YES


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadOption(f"EXTRA_USAGE_{name.upper()}: must be a number") from None


def _amount(name: str, text: str) -> int:
    nanos = nanos_of(text)
    if nanos is None or nanos <= 0:
        raise BadOption(f"{name}: must be an amount of USD such as 0.05")
    return nanos
