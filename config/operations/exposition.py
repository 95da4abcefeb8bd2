"""The text of `/metrics`: what the web processes counted, and what the rows say now.

Rows are asked at most every SECONDS, within the time that a scrape has. Without the
database the rest is told all the same, with `extra_usage_database_up 0`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Lock

import structlog
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from config.kit.measures import Measure, readers, single
from config.kit.outages import is_away
from config.kit.waits import CHECKS, wait_as
from config.operations.measures import broker
from config.operations.multiprocess import folded, folder

log = structlog.get_logger(__name__)
SECONDS = 10
# No reader is asked any more once so many seconds went by; Prometheus waits ten.
PATIENCE = 6
_reading = Lock()
_read: list[tuple[float, list[Measure]]] = []


def page(*, database_answers: bool) -> bytes:
    """All series in Prometheus' text format."""
    own = CollectorRegistry()
    own.register(_Measures(_measures_now(database_answers)))  # type: ignore[arg-type]
    return _counted() + generate_latest(own)


def forget_measures() -> None:
    """Read the rows again at the next scrape."""
    _read.clear()


def _counted() -> bytes:
    """What all web processes counted; this one's own where they share no folder."""
    place = folder()
    if place is None:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(place))
    with folded(place):
        return generate_latest(registry)


class _Measures:
    """Measures as Prometheus' library collects them."""

    def __init__(self, found: list[Measure]) -> None:
        self.found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for one in self.found:
            labels = [one.label] if one.label else []
            family = GaugeMetricFamily(
                f"extra_usage_{one.name}", one.text, labels=labels
            )
            for value, number in one.values.items():
                family.add_metric([value] if labels else [], number)
            yield family


def _measures_now(database_answers: bool) -> list[Measure]:
    with _reading:
        if not database_answers:
            return [*_told(is_up=False, missing=len(readers())), *broker()]
        if not _read or time.monotonic() - _read[-1][0] >= SECONDS:
            _read[:] = [(time.monotonic(), [*_from_rows(), *broker()])]
        return _read[-1][1]


def _from_rows() -> list[Measure]:
    wait_as(CHECKS)
    found: list[Measure] = []
    missing, is_up, began = 0, True, time.monotonic()
    for reader in readers():
        if not is_up or time.monotonic() - began > PATIENCE:
            missing += 1
            continue
        try:
            found += reader(timezone.now())
        except (DatabaseError, InterfaceError) as error:
            missing += 1
            is_up = not is_away(error)
            log.warning("measures.not_read", reader=reader.__name__, error=str(error))
    return [*found, *_told(is_up=is_up, missing=missing)]


def _told(*, is_up: bool, missing: int) -> list[Measure]:
    return [
        single("database_up", "Whether the database answered this scrape.", is_up),
        single(
            "measures_missing",
            "Groups of series that could not be read from the database at this scrape.",
            missing,
        ),
    ]
