"""Who may call the JSON API: bearer keys and their scopes.

Raises; the API root turns that into problem documents.
"""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from pydantic import BeforeValidator, Field, StrictInt, StrictStr

from accounts.key_use import forget_key, is_known, note_refused, note_use
from accounts.models import ApiKey, Organization
from config.kit.api import rfc3339, whole_number
from config.kit.http import client_network
from config.kit.limits import (
    CALLS,
    HOT,
    WRONG_KEYS,
    TooManyCalls,
    check_calls,
    count_call,
)
from config.kit.places import also_called
from config.kit.sql import read

# For `read`, which replaces a kept connection that broke, as at a restart.
KEY_IS_THERE = "SELECT 1 FROM accounts_apikey WHERE digest = %s AND revoked_at IS NULL"


class Unauthorized(Exception):
    """No key, a wrong one or a revoked one: 401."""


class MissingScope(Exception):
    """A good key without the scope it takes: 403."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


def bearer_digest(request: HttpRequest) -> str:
    """The digest of the key in `Authorization: Bearer <key>`.

    Raises Unauthorized without one, and TooManyCalls for a wrong one when too many of
    those came from that address. A good key is never refused for its neighbours.
    """
    digest = key_hash_sent(request)
    if digest is None:
        raise Unauthorized
    if not is_known(digest):
        _refuse_after_too_many(digest, request)
    return digest


def _refuse_after_too_many(digest: str, request: HttpRequest) -> None:
    try:
        check_calls(WRONG_KEYS, client_network(request))
    except TooManyCalls:
        if not ApiKey.objects.live(timezone.now()).filter(digest=digest).exists():
            raise


def key_hash_sent(request: HttpRequest) -> str | None:
    """The digest of the key a call carries, good or not; None without one."""
    secret = _secret_sent(request)
    return ApiKey.digest_of(secret) if secret else None


def _secret_sent(request: HttpRequest) -> str:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def hot_path_key(request: HttpRequest) -> str:
    """The same, counted as one call of the two that run before and after each request.

    The key itself is looked up inside their own statements, after the body was read. So
    one this process has not let in yet is looked for here: no body is parsed for a wrong
    key, and none goes uncounted for the body it came with. Raises Unauthorized for it.
    """
    digest = bearer_digest(request)
    if not is_known(digest) and not _is_there(digest):
        raise Unauthorized
    count_call(HOT, digest)
    return digest


def _is_there(digest: str) -> bool:
    """Whether there is such a key, not revoked. Whether its time is over is asked later,
    once the clock of this host is found to be right.
    """
    return bool(read(KEY_IS_THERE, [digest]).rows())


def sent_key(request: HttpRequest) -> str:
    """What `hot_path_key` found, where it stood as Ninja's `auth`: before the body."""
    return request.auth  # type: ignore[attr-defined]


def key_of(request: HttpRequest, scope: str, *, limit: str = CALLS) -> ApiKey:
    """The live key of a call, with its organization, counted against `limit`.

    Raises Unauthorized, MissingScope, TooManyCalls.
    """
    digest = bearer_digest(request)
    keys = ApiKey.objects.select_related("organization").live(timezone.now())
    key = keys.filter(digest=digest).first()
    if key is None:
        raise Unauthorized
    if scope not in key.scope_list:
        raise MissingScope(scope)
    also_called(key.digest, key.organization_id)
    note_use(key.pk, request, digest=digest, organization_id=key.organization_id)
    count_call(limit, key.pk)
    return key


def note_wrong_key(request: HttpRequest) -> None:
    """Count a call without a good key. Raises TooManyCalls after too many."""
    forget_key(key_hash_sent(request))
    count_call(WRONG_KEYS, client_network(request))
    note_refused(_secret_sent(request))


def wrong_key_text(request: HttpRequest) -> str:
    """Why a call is refused, for whoever holds the key: that its time is over, if so."""
    ended = (
        ApiKey.objects.filter(digest=key_hash_sent(request) or "")
        .exclude(expires_at__gt=timezone.now())
        .first()
    )
    if ended is None or ended.expires_at is None:
        return "Send a valid API key: “Authorization: Bearer <key>”."
    moment = rfc3339(ended.expires_at)
    return f"This API key expired at {moment}. Create a new one under API keys."


class KeyAuth:
    """Ninja's `auth` for one scope; describes itself as a bearer token in the OpenAPI
    document. Reports, which read much, have a limit of their own.
    """

    def __init__(self, scope: str, *, limit: str = CALLS) -> None:
        self.scope = scope
        self.limit = limit
        self.openapi_security_schema = {"type": "http", "scheme": "bearer"}

    def __call__(self, request: HttpRequest) -> ApiKey:
        key = key_of(request, self.scope, limit=self.limit)
        request.auth = key  # type: ignore[attr-defined]
        return key


MemberRef = Annotated[
    Annotated[StrictStr, Field(min_length=1, max_length=254)]
    | Annotated[StrictInt, Field(ge=1, le=2**63 - 1)],
    BeforeValidator(whole_number),
    Field(
        description="The account's e-mail address (case-insensitive) or the membership id."
    ),
]


def organization_of(request: HttpRequest) -> Organization:
    """The organization of the key that called."""
    return request.auth.organization  # type: ignore[attr-defined]


MemberPath = Annotated[str, Field(max_length=254)]


# Where a call looks the key up inside its own statement, its description says what
# Ninja does not know.
BEARER: dict[str, Any] = {"security": [{"KeyAuth": []}]}
