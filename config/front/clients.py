"""Whose download it is, for limits of how many one may have open."""

from __future__ import annotations

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import parse_cookie

from accounts.key_use import is_known
from accounts.models import ApiKey
from config.front.calls import Environ
from config.kit.doors import PROGRAMS
from config.kit.http import client_network
from config.kit.keys import is_bearer


def is_static(environ: Environ) -> bool:
    """Whether it asks for a file that strangers may read too."""
    return bool(environ["PATH_INFO"].startswith(settings.STATIC_URL))


def client_of(environ: Environ) -> str:
    """The key of the API or the session that opened it, whichever of them counts at this
    path; without one, and for static files, the address.
    """
    if not is_static(environ):
        if environ["PATH_INFO"].startswith(PROGRAMS):
            secret = environ.get("HTTP_AUTHORIZATION", "").split()[-1:]
        else:
            cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
            secret = [cookies.get(settings.SESSION_COOKIE_NAME, "")]
        if any(secret):
            return f"secret {secret[0]}"
    return f"address {client_network(WSGIRequest(environ))}"


def has_known_key(environ: Environ) -> bool:
    """Whether it carries a key that this process has let in before."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    return is_bearer(header) and is_known(ApiKey.digest_of(header.split()[-1]))
