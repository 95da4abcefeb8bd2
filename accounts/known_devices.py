"""Browsers in which a person signed in before: whoever guesses passwords elsewhere does
not lock these out (S8).

A signed cookie names the accounts by fingerprints, which end with the password and the
address. It opens nothing: the password is still asked for, within a limit of its own.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

COOKIE = "known_device"
SALT = "accounts.known_devices"
LASTS = 180 * 86_400  # seconds
ACCOUNTS = 5  # that one browser remembers, the latest first


def _fingerprint(user: User) -> str:
    bound = f"{user.pk}|{user.password}|{user.email}"
    return salted_hmac(SALT, bound, algorithm="sha256").hexdigest()[:32]


def _fingerprints(request: HttpRequest) -> list[str]:
    try:
        known = signing.loads(request.COOKIES[COOKIE], salt=SALT, max_age=LASTS)
    except (KeyError, signing.BadSignature):
        return []
    return [mark for mark in known if isinstance(mark, str)][:ACCOUNTS]


def is_known_device(request: HttpRequest, email: str) -> bool:
    """Whether somebody signed in with this canonical address in this browser before."""
    known = _fingerprints(request)
    user = User.objects.filter(email=email).first() if known else None
    if user is None:
        return False
    own = _fingerprint(user)
    return any(constant_time_compare(own, mark) for mark in known)


def remember_device(
    request: HttpRequest, response: HttpResponseBase, user: User
) -> None:
    """After signing in: the browser knows this account from now on."""
    own = _fingerprint(user)
    others = [mark for mark in _fingerprints(request) if mark != own]
    response.set_cookie(
        COOKIE,
        signing.dumps([own, *others][:ACCOUNTS], salt=SALT),
        max_age=LASTS,
        path="/accounts/",
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
