"""Shapes of the check, for validation and for the OpenAPI description."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from ninja import Schema
from pydantic import ConfigDict, StrictStr

from accounts.api_access import MemberRef

SurfaceName = Literal["claude", "claude_code"]


class AuthorizeIn(Schema):
    """A question before a request runs."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"member": "bob@acme.example", "surface": "claude"}
        }
    )

    # A personal token may leave it out: it is its own member's.
    member: MemberRef | None = None
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
