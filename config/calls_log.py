"""One line in the log for each call of a program: which, what came of it, how long it took,
and by which key of which organization. Never the key itself, an address, or a body.

Written straight, without the chain of other lines: at thousands a second that would be
felt. Nothing here is text of a client, so there is nothing to mask.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from config.kit.doors import PROGRAMS
from config.kit.http import caller_noted
from config.kit.middleware import route_of

log = logging.getLogger("extra_usage.calls")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class CallsLog:
    """Middleware outside of all that can answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PROGRAMS) or not log.isEnabledFor(
            logging.INFO
        ):
            return self.get_response(request)
        began = time.perf_counter()
        response = self.get_response(request)
        _write(request, response.status_code, time.perf_counter() - began)
        return response


def _write(request: HttpRequest, status: int, seconds: float) -> None:
    organization_id, key_id = caller_noted(request)
    facts = {
        "method": request.method if request.method in METHODS else "other",
        "route": route_of(request),
        "status": status,
        "ms": round(seconds * 1_000, 1),
        "organization": organization_id,
        "key": key_id,
    }
    # Without a look at who calls, which a usual line would begin with.
    log.handle(
        log.makeRecord(log.name, logging.INFO, __file__, 0, "api.call", (facts,), None)
    )
