"""Whose download it is, for limits of how many one may have open."""

from __future__ import annotations

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import parse_cookie

from config.front.calls import Environ
from config.front.refusals import API
from config.kit.http import client_network


def is_static(environ: Environ) -> bool:
    """Whether it asks for a file that strangers may read too."""
    return bool(environ["PATH_INFO"].startswith(settings.STATIC_URL))


def client_of(environ: Environ) -> str:
    """The key of the API or the session that opened it, whichever of them counts at this
    path; without one, and for static files, the address.
    """
    if not is_static(environ):
        if environ["PATH_INFO"].startswith(API):
            secret = environ.get("HTTP_AUTHORIZATION", "").split()[-1:]
        else:
            cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
            secret = [cookies.get(settings.SESSION_COOKIE_NAME, "")]
        if any(secret):
            return f"secret {secret[0]}"
    return f"address {client_network(WSGIRequest(environ))}"
