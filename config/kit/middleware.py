"""Middleware: Django's and the libraries' own, limited to pages, and what every HTMX
answer needs.

The JSON API and the health checks carry no cookie, so sessions, CSRF, messages and the
like are skipped for them. Never holds domain knowledge.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages import get_messages
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxMiddleware
from django_structlog.middlewares import RequestMiddleware

from config.kit.api import problem

GetResponse = Callable[[HttpRequest], HttpResponseBase]
DOCS = "/api/v1/docs"
NOT_PAGES = ("/api/", "/healthz", "/readyz", "/metrics", "/webhooks/")


def is_page(request: HttpRequest) -> bool:
    """Whether a person with a browser is asking; the API's documentation is for people too."""
    return not request.path_info.startswith(NOT_PAGES) or request.path_info == DOCS


class PagesOnly:
    """Put before a middleware class, it skips that middleware where no person is asking."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_page(request):
            return super().__call__(request)  # type: ignore[misc]
        return self.get_response(request)


class PagesSession(PagesOnly, SessionMiddleware): ...


class PagesLocale(PagesOnly, LocaleMiddleware): ...


class PagesAuthentication(PagesOnly, AuthenticationMiddleware): ...


class PagesMessages(PagesOnly, MessageMiddleware): ...


class PagesCsp(PagesOnly, CSPMiddleware): ...


class PagesHtmx(PagesOnly, HtmxMiddleware): ...


class PagesLog(PagesOnly, RequestMiddleware): ...


class PagesCsrf(PagesOnly, CsrfViewMiddleware):
    def process_view(self, request: HttpRequest, *args: Any) -> Any:
        return super().process_view(request, *args) if is_page(request) else None


class HtmxResponse:
    """Every answer to HTMX: `Vary`, messages as a `toast` event, redirects that leave
    the fragment.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not getattr(request, "htmx", False) or not isinstance(
            response, HttpResponse
        ):
            return response
        patch_vary_headers(response, ("HX-Request",))
        if response.status_code in (301, 302, 303):
            redirect = HttpResponse(status=204)
            redirect.cookies = response.cookies
            redirect["HX-Redirect"] = response["Location"]
            return redirect
        if response.status_code < 500:
            _messages_to_trigger(request, response)
        return response


def _messages_to_trigger(request: HttpRequest, response: HttpResponse) -> None:
    """Move waiting messages into the `toast` event, since a fragment has no place to
    show them in.
    """
    toasts = [
        {"level": message.level_tag, "text": str(message)}
        for message in get_messages(request)
    ]
    if not toasts:
        return
    trigger = json.loads(response.get("HX-Trigger", "{}"))
    trigger["toast"] = {"items": toasts}
    response["HX-Trigger"] = json.dumps(trigger)


class ApiMethodNotAllowed:
    """A method a path of the API does not have, as a problem document like every other
    error there.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code != 405 or not request.path_info.startswith("/api/"):
            return response
        allowed = response.headers.get("Allow", "")
        detail = f"{request.method} is not allowed on this path; use {allowed}."
        refusal = problem(status=405, detail=detail)
        refusal["Allow"] = allowed
        return refusal
