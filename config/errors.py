"""Error pages. Each says what happened and what to do; none shows internals, and none
but a member's 403 asks the database: it may be why they are shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string

from config.front.bodies import TOO_LONG
from config.kit.api import problem
from config.kit.doors import OTLP, TELEMETRY_TOO_LONG
from config.kit.later import later_page
from config.kit.middleware import is_page
from config.kit.outages import cause_of, seconds_to_wait
from config.outages import again, static_page, unavailable

FAULT = "Something went wrong on our side."

DETAILS = {413: "A body is limited to 1 MiB; send the events in several calls."}


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    if not is_page(request):
        detail = DETAILS.get(status, "")
        if status == 413 and request.path_info.startswith(OTLP):
            detail = TELEMETRY_TOO_LONG
        return problem(status=status, detail=detail)
    return _page(request, f"{status}.html", status=status)


def _page(
    request: HttpRequest, name: str, *, status: int, sentence: str = ""
) -> HttpResponse:
    """Without context processors, which would look up who is asking."""
    token = get_token(request)
    context = {"request": request, "csrf_token": token, "sentence": sentence}
    return HttpResponse(render_to_string(name, context), status=status)


def bad_request(
    request: HttpRequest, exception: Exception | None = None
) -> HttpResponse:
    """400 for people, a problem document for programs; 413 where more was sent than
    anybody reads.
    """
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413)
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 with the sentence that says what role it takes."""
    if not is_page(request):
        return _answer(request, 403)
    sentence = str(exception or "")
    if getattr(request, "membership", None) is not None:
        with suppress(DatabaseError, InterfaceError):
            return _member_page(request, sentence)
    return _page(request, "403.html", status=403, sentence=sentence)


def _member_page(request: Any, sentence: str) -> HttpResponse:
    """403 inside of one's organization: with its navigation, and whom to ask."""
    owner = request.membership.organization.primary_owner
    looks = getattr(request, "looks", False)
    context = {"sentence": sentence, "owner": None if looks else owner}
    return render(request, "403_member.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: also for everything of organizations one does not belong to."""
    return _answer(request, 404)


def too_many(request: HttpRequest) -> HttpResponse:
    """429 of allauth's limits, which don't say when they end: the shortest of them
    after a minute.
    """
    return later_page(request, status=429, seconds=60)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 without any detail; 503 where the database is away, met outside of a view."""
    error = sys.exception()
    seconds = seconds_to_wait(error)
    if error is not None and seconds is not None:
        return unavailable(request, seconds=seconds, cause=cause_of(error))
    if not is_page(request):
        return problem(status=500, detail=f"{FAULT} {again(request)}")
    return HttpResponse(static_page("500.html"), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token: the page was open too long or cookies are off."""
    return _page(request, "403_csrf.html", status=403)


class BodyLimit:
    """413 for a request whose body the front did not read, since it is too long."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if TOO_LONG in request.META:
            return _answer(request, 413)
        return self.get_response(request)
