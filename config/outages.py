"""The database away or busy: what callers are told, how long each call may wait, and how
many of one organization at once.

Metering waits shortest. Whoever meets an outage gets 503 with `Retry-After`: programs a
problem document, people a page that needs no database.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from accounts.api_access import key_hash_sent
from config.kit.api import problem
from config.kit.doors import DOORS, METRICS, OTLP
from config.kit.middleware import is_page
from config.kit.outages import (
    DATABASE,
    NO_PLACE,
    cause_of,
    count_unavailable,
    seconds_to_wait,
)
from config.kit.places import NoPlace, place_for, waited_in_vain
from config.kit.waits import CALLS, CHECKS, LONG, silence, wait_as

log = structlog.get_logger(__name__)
CHECK, REPORT = "/api/v1/authorize", "/api/v1/usage"
# Calls that check, which wait shortest and for no row.
CHECKING = (CHECK, DOORS)
# Operators' pages and files read much.
OF_ORGANIZATION = re.compile(r"/o/([^/]+)/")
# Exporters of telemetry come again five times, whatever that comes to, and drop what they
# hold. A short outage is over after the first wait; four of the others outlast a minute.
EXPORTERS_WAIT, SHORT = 20, 1  # seconds
A_MINUTE = 60  # without an outage: the next one is another
LONG_PATHS = re.compile(r"/admin/|.*\.(csv|pdf)\Z", re.DOTALL)


def waits_of(request: HttpRequest) -> str:
    """How long this call waits for the database: a name of `kit.waits`."""
    path, is_post = request.path_info, request.method == "POST"
    if path.startswith(CHECKING):
        return CHECKS
    if LONG_PATHS.match(path) or (path == REPORT and not is_post):
        return LONG
    return CALLS


def caller_of(request: HttpRequest) -> str | None:
    """Whose places a call takes that may wait for a lock: its key's digest, or the slug
    of the organization in its path. None for all others: reading waits for no row.
    """
    path = request.path_info
    changes = request.method in ("POST", "PUT", "PATCH", "DELETE")
    if not changes or path.startswith((*CHECKING, METRICS)):
        return None
    if not is_page(request):
        return key_hash_sent(request)
    found = OF_ORGANIZATION.match(path)
    return found[1] if found else None


def again(request: HttpRequest) -> str:
    """What a program is to do after a failure that says nothing about what was done."""
    path = request.path_info
    if request.method in ("GET", "HEAD") or path.startswith(CHECKING):
        return "Nothing was changed; send the same request again."
    if path == REPORT or path.startswith(OTLP):
        return "Send the same events again: whatever was recorded counts once."
    return "Look whether it was carried out before you send it again."


def static_page(name: str) -> str:
    """A page of ours that asks for nothing: no session, no database, no person."""
    return render_to_string(name)


class ForExporters:
    """When exporters are to come again, by how long the outage lasts that this process
    sees.
    """

    def __init__(self) -> None:
        self._began = self._seen = -float("inf")

    def seconds(self, seconds: int, *, now: float) -> int:
        """At `now`, of the monotonic clock; `seconds` is when all others are to."""
        if now > self._seen + A_MINUTE:
            self._began = now
        self._seen = now
        return seconds if now < self._began + SHORT else EXPORTERS_WAIT


_exporters = ForExporters()


def unavailable(request: HttpRequest, *, seconds: int, cause: str) -> HttpResponse:
    """503, to be sent again after `seconds`; counted by its cause (`kit.outages`)."""
    count_unavailable(cause)
    if request.path_info.startswith(OTLP) and cause == DATABASE:
        seconds = _exporters.seconds(seconds, now=time.monotonic())
    if is_page(request):
        answer = HttpResponse(static_page("unavailable.html"), status=503)
    else:
        sentence = "The database is busy or can't be reached."
        answer = problem(status=503, detail=f"{sentence} {again(request)}")
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "no-store"
    return answer


class Outages:
    """Middleware: chooses how long a call may wait, and answers the outages it meets.

    What it chose holds until the thread's next call, for a file that streams, and for
    what Django asks a kept connection before that call is looked at.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        wait_as(waits_of(request))
        if silence.keeps_from_asking():
            return unavailable(request, seconds=2, cause=DATABASE)
        name = caller_of(request)
        if name is None:
            return self.get_response(request)
        try:
            with place_for(name):
                response = self.get_response(request)
        except NoPlace:
            return unavailable(request, seconds=1, cause=NO_PLACE)
        waited_in_vain(name, response.status_code == 503)
        return response

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """503 for an outage, which a line in the log says enough about."""
        seconds = seconds_to_wait(exception)
        if seconds is None:
            return None
        log.warning("page.unavailable", path=request.path_info, error=str(exception))
        return unavailable(request, seconds=seconds, cause=cause_of(exception))
