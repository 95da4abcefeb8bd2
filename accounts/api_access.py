"""Who may call the JSON API: bearer keys and their scopes.

Raises; the API root turns that into problem documents.
"""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from pydantic import BeforeValidator, Field, StrictInt, StrictStr

from accounts.key_use import note_use
from accounts.models import ApiKey, Organization
from config.kit.api import whole_number


class Unauthorized(Exception):
    """No key, a wrong one or a revoked one: 401."""


class MissingScope(Exception):
    """A good key without the scope it takes: 403."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


def bearer_digest(request: HttpRequest) -> str:
    """The digest of the key in `Authorization: Bearer <key>`.

    Raises Unauthorized without one.
    """
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise Unauthorized
    return ApiKey.digest_of(secret.strip())


def key_of(request: HttpRequest, scope: str) -> ApiKey:
    """The live key of a call, with its organization. Raises Unauthorized, MissingScope."""
    key = (
        ApiKey.objects.select_related("organization")
        .filter(digest=bearer_digest(request), revoked_at__isnull=True)
        .first()
    )
    if key is None:
        raise Unauthorized
    if scope not in key.scope_list:
        raise MissingScope(scope)
    note_use(key.pk)
    return key


class KeyAuth:
    """Ninja's `auth` for one scope; describes itself as a bearer token in the OpenAPI
    document.
    """

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.openapi_security_schema = {"type": "http", "scheme": "bearer"}

    def __call__(self, request: HttpRequest) -> ApiKey:
        key = key_of(request, self.scope)
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
