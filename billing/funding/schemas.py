"""Shapes of the check, for validation and for the OpenAPI description."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field, StrictStr

from accounts.api_access import MemberRef
from billing.models.surfaces import SURFACE_PATTERN

SurfaceName = Annotated[
    str,
    Field(
        strict=True,
        pattern=SURFACE_PATTERN,
        description=(
            "Where the request is made: a short name of your choice. `claude` and"
            " `claude_code` are known by their names everywhere."
        ),
        examples=["claude_code", "cursor", "ci"],
    ),
]


class AuthorizeIn(Schema):
    """A question before a request runs."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"member": "bob@acme.example", "surface": "claude"}
        }
    )

    member: MemberRef
    surface: SurfaceName
    # of any length, as reports take it: nothing depends on it
    model: StrictStr | None = None


class LayerOut(Schema):
    """One thing that limits the member."""

    kind: str
    state: Literal["ok", "used_up", "blocks"]
    limit_usd: str | None
    spent_usd: str | None
    resets_at: dt.datetime | None
    who_can_change: Literal["nobody", "owners", "owners_admins_on_request"]
    source: str | None


class AuthorizeOut(Schema):
    """The answer: allowed with its funding, or one reason and when it ends."""

    allowed: bool
    funding: Literal["included", "extra_usage"] | None
    authorization: str | None
    reason: str | None
    message: str | None
    resets_at: dt.datetime | None
    request_url: str | None
    layers: list[LayerOut]
