"""Middleware: Django's and the libraries' own, limited to pages, and what every HTMX
answer needs.

The JSON API and the health checks carry no cookie, so sessions, CSRF, messages and the
like are skipped for them. Never holds domain knowledge.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from allauth.account.adapter import get_adapter
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages import get_messages
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.gzip import GZipMiddleware
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxMiddleware
from django_structlog.middlewares import RequestMiddleware

from config.kit.api import problem
from config.kit.doors import KEY_VARIABLE, PROGRAMS
from config.kit.tags import undo_address

GetResponse = Callable[[HttpRequest], HttpResponseBase]
DOCS = "/api/v1/docs"
NOT_PAGES = (*PROGRAMS, "/healthz", "/readyz", "/metrics", "/webhooks/")


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


class PagesGzip(PagesOnly, GZipMiddleware):
    """Pages and their parts are sent compressed, a tenth of their length: what programs
    report and ask pays nothing for it, and files are sent as fast as they are made.

    A compressed length tells nobody a secret of the page: CSRF tokens are masked anew in
    each answer, and Django makes each answer up to 100 random bytes longer (BREACH).
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress what is HTML and whole."""
        kind = response.headers.get("Content-Type", "")
        if response.streaming or not kind.startswith("text/html"):
            return response
        return super().process_response(request, response)


def route_of(request: HttpRequest) -> str:
    """The route a request matched, `/invitations/<str:token>/`: what may be logged of its
    path, since the path itself can be a secret, mistyped ones included.
    """
    match = request.resolver_match
    if match is None:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return "(no such page)"
    return f"/{match.route}"


class PagesLog(PagesOnly, RequestMiddleware):
    """A line for each page that is asked for and for each answer: route, no query string,
    and the address that counts behind our own proxies, whatever a client claims.
    """

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """As the lines name a request."""
        return f"{request.method} {route_of(request)}"

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """The same address that limits of sign-ins count by."""
        try:
            ip = get_adapter(request).get_client_ip(request)
        except (ImproperlyConfigured, PermissionDenied):  # nobody says for whom it is
            ip = request.META.get("REMOTE_ADDR")
        structlog.contextvars.bind_contextvars(ip=ip)

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """Who is asking, where the database can tell; nobody's name is needed to say that
        a file is missing.
        """
        if not request.path_info.startswith(settings.STATIC_URL):
            with suppress(DatabaseError, InterfaceError):
                RequestMiddleware.bind_user_id(request)


class PrivateAnswers:
    """Nothing that a session or a key opened is kept by a browser or a proxy (S12), nor
    what a link with a token shows; Back after signing out asks anew.

    Static files are answered before; pages for everybody are left as they are.
    """

    SECRETS = frozenset({"token", "key", "uidb36"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if self._is_private(request, response):
            # Whatever a view said about keeping it.
            response.headers["Cache-Control"] = "private, no-store"
        return response

    def _is_private(self, request: HttpRequest, response: HttpResponseBase) -> bool:
        session = settings.SESSION_COOKIE_NAME
        match = request.resolver_match
        return (
            session in request.COOKIES
            or session in response.cookies
            or "Authorization" in request.headers
            or KEY_VARIABLE in request.META
            or bool(match and self.SECRETS.intersection(match.kwargs))
        )


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
            redirect["HX-Redirect"] = _whole_page(request, response["Location"])
            return redirect
        if response.status_code < 500:
            _messages_to_trigger(request, response)
        return response


def _whole_page(request: Any, location: str) -> str:
    """Where to send the browser: from signing in back to the page it shows, not to the
    part or the dialog of it that was asked for (B2).
    """
    path, _mark, _query = location.partition("?")
    shown = request.htmx.current_url_abs_path
    if path != resolve_url(settings.LOGIN_URL) or not shown:
        return location
    return redirect_to_login(shown).url


def _messages_to_trigger(request: HttpRequest, response: HttpResponse) -> None:
    """Move waiting messages into the `toast` event, since a fragment has no place to
    show them in.
    """
    toasts = [
        {
            "level": message.level_tag,
            "text": str(message),
            "undo": undo_address(message),
        }
        for message in get_messages(request)
    ]
    if not toasts:
        return
    trigger = json.loads(response.get("HX-Trigger", "{}"))
    trigger["toast"] = {"items": toasts}
    response["HX-Trigger"] = json.dumps(trigger)


class ApiMethodNotAllowed:
    """A method a path of programs does not have, as a problem document like every other
    error there.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_program = request.path_info.startswith(PROGRAMS)
        if response.status_code != 405 or not is_program:
            return response
        allowed = response.headers.get("Allow", "")
        detail = f"{request.method} is not allowed on this path; use {allowed}."
        refusal = problem(status=405, detail=detail)
        refusal["Allow"] = allowed
        return refusal
