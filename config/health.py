"""Health checks: alive (the process answers) and ready (database and broker answer);
and Prometheus metrics.

Health never shows details; metrics are for the same machine, or for whoever has the
token.
"""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django_prometheus.exports import ExportToDjangoView
from redis import Redis, RedisError


def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as the process runs."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer, else 503 naming which does not."""
    parts = {"database": _database_answers(), "broker": _broker_answers()}
    status = 200 if all(parts.values()) else 503
    names = {
        name: "ok" if answers else "unavailable" for name, answers in parts.items()
    }
    return JsonResponse(
        {"status": "ok" if status == 200 else "unavailable", **names}, status=status
    )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except DatabaseError:
        return False


def _broker_answers() -> bool:
    if not settings.REDIS_URL:
        return settings.QUEUE_DIR.is_dir() if hasattr(settings, "QUEUE_DIR") else True
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
            return bool(client.ping())
    except RedisError:
        return False


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format.

    With METRICS_TOKEN only for that bearer token, else only for the machine itself.
    """
    if not _may_read_metrics(request):
        raise Http404
    return ExportToDjangoView(request)


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        return constant_time_compare(
            request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"
        )
    # A proxy on this machine forwards strangers from the loopback address too, but says so.
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and not forwarded
