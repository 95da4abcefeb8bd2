"""The bell stays right while a page is open: each answer to one of its parts says how
many notices are new, so that nobody has to ask for that by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.navigation import the_bell

EVENT = "noticesUnread"


class BellAnswers:
    """Puts the event on every part of a page that HTMX gets, and after something was read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        membership = getattr(request, "membership", None)
        bell = the_bell()
        if (
            bell is None
            or membership is None
            or getattr(request, "looks", False)
            or not getattr(request, "htmx", False)
            or not _may_have_changed(request)
            or response.status_code not in (200, 204)
        ):
            return response
        events = json.loads(response.headers.get("HX-Trigger", "{}"))
        events[EVENT] = {"count": bell.unread(membership, timezone.now())}
        response.headers["HX-Trigger"] = json.dumps(events)
        return response


def _may_have_changed(request: HttpRequest) -> bool:
    """A part that is read, or the answer to having read notices."""
    return request.method == "GET" or getattr(request, "tells_bell", False)
