"""How long what is kept: apps register what deletes one kind of it, a nightly job runs all
whose setting says so.

A setting is a number of days; 0 keeps for ever.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)
Sweep = Callable[[dt.datetime], int]
# Rows in one transaction: short enough that nobody waits for it.
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Retained:
    """One kind: the setting with its days, and what deletes all before a moment."""

    setting: str
    sweep: Sweep


_KINDS: dict[str, Retained] = {}


def retains(kind: str, *, setting: str) -> Callable[[Sweep], Sweep]:
    """Mark the function that deletes what is older than a moment and answers how many
    rows that were; it works in chunks, and twice as well as once.
    """

    def register(sweep: Sweep) -> Sweep:
        _KINDS[kind] = Retained(setting, sweep)
        return sweep

    return register


def end_retention(*, now: dt.datetime) -> dict[str, int]:
    """Delete what its setting no longer keeps; rows deleted by kind. What fails is
    logged, and comes again with the next night.
    """
    gone = {}
    for kind, retained in _KINDS.items():
        days: int = getattr(settings, retained.setting)
        if not days:
            continue
        try:
            gone[kind] = retained.sweep(now - dt.timedelta(days=days))
        except Exception:
            log.exception("retention.failed", kind=kind)
    log.info("retention.ended", **gone)
    return gone
