"""Health checks: alive (the process answers) and ready (the database answers, has the
tables of this code, and agrees with this host's clock); and Prometheus metrics.

Health never shows details; metrics are for the same machine, or for whoever has the
token.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
)
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST
from redis import Redis, RedisError

from config.kit.clock import ClockIsOff, database_now
from config.kit.redis import patient_options
from config.kit.waits import CHECKS, wait_as
from config.operations.exposition import page


class Probes:
    """Middleware before all others: health is told by whatever name one asks.

    Containers and load balancers ask by an address, which ALLOWED_HOSTS does not list;
    what they are told depends on no name.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = PROBES.get(request.path_info)
        return view(request) if view else self.get_response(request)


def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as the process runs."""
    return JsonResponse({"status": "ok"})


# Anybody may ask, so asking often opens no connections.
READY_SECONDS = 2
_looking = Lock()


class _Seen(NamedTuple):
    """What answered when this process last looked, and when, on its own clock."""

    parts: dict[str, str]
    at: float


_seen: list[_Seen] = []


def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, no migration of this code is missing and this
    host's clock is right by the database's, else 503 naming what is wrong; two seconds
    old at most.

    Metering and pages go on without the broker, whose state is only told.
    """
    names = _parts()
    is_ready = names.get("database") == "ok" and names.get("clock", "ok") == "ok"
    return JsonResponse(
        {"status": "ok" if is_ready else "unavailable", **names},
        status=200 if is_ready else 503,
    )


def _parts() -> dict[str, str]:
    with _looking:
        if not _seen or time.monotonic() - _seen[-1].at >= READY_SECONDS:
            broker = "ok" if _broker_answers() else "away"
            parts = {**_database_and_clock(), "broker": broker}
            _seen[:] = [_Seen(parts, time.monotonic())]
        return _seen[-1].parts


def forget_readiness() -> None:
    """Look again at the next question."""
    _seen.clear()


def _database_and_clock() -> dict[str, str]:
    """A database that does not answer has no time to tell; one that is “not migrated”
    waits for `migrate` to bring it to this code.
    """
    wait_as(CHECKS)
    try:
        applied = set(MigrationRecorder(connection).applied_migrations())
        if not known_migrations() <= applied:
            return {"database": "not migrated"}
        database_now()
    except (DatabaseError, InterfaceError):
        return {"database": "unavailable"}
    except ClockIsOff as error:
        return {"database": "ok", "clock": f"off by {error.seconds:+.0f} seconds"}
    return {"database": "ok", "clock": "ok"}


@lru_cache(maxsize=1)
def known_migrations() -> frozenset[tuple[str, str]]:
    """The migrations that this code comes with, as (app, name)."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _broker_answers() -> bool:
    if not settings.REDIS_URL:
        return True  # folders, which whoever sends or takes the first message makes
    try:
        with Redis.from_url(settings.REDIS_URL, **patient_options()) as client:
            return bool(client.ping())
    except RedisError:
        return False


PROBES = {"/healthz": alive, "/readyz": ready}


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format.

    With METRICS_TOKEN only for that bearer token, else only for the machine itself;
    behind a proxy, through which everybody comes from this machine, then for nobody.
    """
    if not _may_read_metrics(request):
        raise Http404
    # So that the clock's gauge is of now, also on a host that nobody sends anything.
    database_answers = _database_and_clock()["database"] != "unavailable"
    content = page(database_answers=database_answers)
    return HttpResponse(content, content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        return constant_time_compare(
            request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"
        )
    if settings.BEHIND_PROXY:
        return False
    # A proxy on this machine forwards strangers from the loopback address too, but says so.
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and not forwarded
