"""Who may call the JSON API: bearer keys with their scopes, and personal tokens (X3).

Raises; the API root turns that into problem documents.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from pydantic import BeforeValidator, Field, StrictInt, StrictStr, WithJsonSchema

from accounts.key_use import forget_key, is_known, note_refused, note_use
from accounts.models import ApiKey, Membership, Organization, Scope
from accounts.queries import member_by_ref
from config.kit.api import whole_number
from config.kit.dates import rfc3339
from config.kit.doors import KEY_VARIABLE, is_ext_authz
from config.kit.errors import BusinessError
from config.kit.external_names import (
    MOST_PART,
    MOST_TEXT,
    external_name,
    is_external_name,
)
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


class OtherMember(Exception):
    """A personal token (X3) asks about somebody else than whose it is: 403."""


def check_may_ask(scopes: Collection[str]) -> None:
    """Whether a key may ask and report: for its organization (`meter`), or as a personal
    token for the one whose it is (`self`). Raises MissingScope.
    """
    if Scope.METER not in scopes and Scope.SELF not in scopes:
        raise MissingScope(Scope.METER)


def check_is_own(membership_id: int | None, *, key_membership_id: int | None) -> None:
    """Whether a key may ask about that member (None: about nobody it knows). Raises
    OtherMember for a personal token of somebody else.
    """
    if key_membership_id is not None and membership_id != key_membership_id:
        raise OtherMember


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
    return None if secret is None else ApiKey.digest_of(secret)


def _secret_sent(request: HttpRequest) -> str | None:
    """The key as it was sent. A proxy that asks for its client has a header of its own
    for it, since it sends on that client's `Authorization`.
    """
    own = request.META.get(KEY_VARIABLE)
    if own is not None and is_ext_authz(request.path_info):
        return own.strip()
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() or None if kind.lower() == "bearer" else None


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


def key_of(request: HttpRequest, *scopes: str, limit: str = CALLS) -> ApiKey:
    """The live key of a call with one of the scopes, with its organization, counted
    against `limit`.

    Raises Unauthorized, MissingScope (of the first), TooManyCalls.
    """
    digest = bearer_digest(request)
    keys = ApiKey.objects.select_related("organization").live(timezone.now())
    key = keys.filter(digest=digest).first()
    if key is None:
        raise Unauthorized
    if not any(scope in key.scope_list for scope in scopes):
        raise MissingScope(scopes[0])
    also_called(key.digest, key.organization_id)
    note_use(key.pk, request, digest=digest, organization_id=key.organization_id)
    count_call(limit, key.pk)
    return key


def note_wrong_key(request: HttpRequest) -> None:
    """Count a call without a good key. Raises TooManyCalls after too many."""
    forget_key(key_hash_sent(request))
    count_call(WRONG_KEYS, client_network(request))
    note_refused(_secret_sent(request) or "")


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
    if ended.membership_id is not None:
        return f"This personal token expired at {moment}. Create a new one in your settings."
    return f"This API key expired at {moment}. Create a new one under API keys."


class KeyAuth:
    """Ninja's `auth` for one scope, or one of several; describes itself as a bearer
    token in the OpenAPI document. Reports, which read much, have a limit of their own.

    A call that takes `Scope.SELF` too answers no more than `own_membership_id` may see.
    """

    def __init__(self, *scopes: str, limit: str = CALLS) -> None:
        self.scopes = scopes
        self.limit = limit
        self.openapi_security_schema = {"type": "http", "scheme": "bearer"}

    def __call__(self, request: HttpRequest) -> ApiKey:
        key = key_of(request, *self.scopes, limit=self.limit)
        request.auth = key  # type: ignore[attr-defined]
        return key


def _as_text(value: Any) -> Any:
    """An external id that is sent as an object, as the text that names the same; whole
    numbers as such.
    """
    if not isinstance(value, dict):
        return whole_number(value)
    issuer, subject = value.get("issuer"), value.get("subject")
    if not (isinstance(issuer, str) and isinstance(subject, str)):
        raise ValueError('an external id is {"issuer": "…", "subject": "…"}, two texts')
    if not (0 < len(issuer) <= MOST_PART and 0 < len(subject) <= MOST_PART):
        raise ValueError(f"issuer and subject have 1 to {MOST_PART} characters each")
    name = external_name(issuer, subject)
    if not is_external_name(name):
        raise ValueError("reads like an e-mail address, which is sent as text")
    return name


EXTERNAL_ID: dict[str, Any] = {
    "type": "object",
    "required": ["issuer", "subject"],
    "properties": {
        part: {"type": "string", "minLength": 1, "maxLength": MOST_PART}
        for part in ("issuer", "subject")
    },
}
# How a body names a member; as text it is the same in all of them (X2).
MemberRef = Annotated[
    Annotated[StrictStr, Field(min_length=1, max_length=MOST_TEXT)]
    | Annotated[StrictInt, Field(ge=1, le=2**63 - 1)],
    BeforeValidator(_as_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": MOST_TEXT},
                {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
                EXTERNAL_ID,
            ],
            "description": (
                "The account's e-mail address (case-insensitive), the membership id, or"
                " an external id: an object of issuer and subject, or the text"
                " issuer:subject."
            ),
        }
    ),
]


def organization_of(request: HttpRequest) -> Organization:
    """The organization of the key that called."""
    return request.auth.organization  # type: ignore[attr-defined]


def own_membership_id(request: HttpRequest) -> int | None:
    """Whose personal token called, to whom the answer is limited; None for a key of the
    organization itself.
    """
    return request.auth.membership_id  # type: ignore[attr-defined]


def member_called(request: HttpRequest, ref: str) -> Membership:
    """The member whom a call's path names, for a key that may act for them.

    Raises OtherMember for a personal token that names somebody else, there or not, and
    BusinessError 404.
    """
    own_id = own_membership_id(request)
    try:
        membership = member_by_ref(organization_of(request), ref)
    except BusinessError:
        check_is_own(None, key_membership_id=own_id)
        raise
    check_is_own(membership.pk, key_membership_id=own_id)
    return membership


MemberPath = Annotated[str, Field(max_length=MOST_TEXT)]


# Where a call looks the key up inside its own statement, its description says what
# Ninja does not know.
BEARER: dict[str, Any] = {"security": [{"KeyAuth": []}]}
