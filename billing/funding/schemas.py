"""Shapes of the check, for validation and for the OpenAPI description."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field, StrictBool, StrictStr

from accounts.api_access import MemberRef
from billing.models.surfaces import SURFACE_PATTERN
from config.kit.api import Usd

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

    # A personal token may leave it out: it is its own member's.
    member: MemberRef | None = None
    surface: SurfaceName
    # of any length, as reports take it: nothing depends on it
    model: StrictStr | None = None
    lease: StrictBool = Field(
        default=False,
        description="Whether the client would spend on one answer for some seconds,"
        " instead of asking before each request.",
    )


class LayerOut(Schema):
    """One thing that limits the member."""

    kind: str
    state: Literal["ok", "used_up", "blocks"]
    limit_usd: str | None
    spent_usd: str | None
    resets_at: dt.datetime | None
    who_can_change: Literal["nobody", "member", "owners", "owners_admins_on_request"]
    source: str | None


class LeaseOut(Schema):
    """What the client may spend before it asks for this member again."""

    usd: Usd
    seconds: int = Field(description="After these it asks again.", ge=1, le=30)


class AuthorizeOut(Schema):
    """The answer: allowed with its funding, or one reason and when it ends."""

    allowed: bool
    funding: Literal["included", "extra_usage"] | None
    authorization: str | None
    reason: str | None
    message: str | None = Field(
        description="What stops the member, until when, and what to do: in their language."
    )
    short_message: str | None = Field(
        description="The same in at most 60 characters, for terminals.",
        examples=["At your cap. Continue Tue 1 Dec 00:00 CET"],
    )
    resets_at: dt.datetime | None
    request_url: str | None = Field(
        description="A page on which the member can ask for more, or reads whom to ask."
        " null with a continue_url."
    )
    continue_url: str | None = Field(
        description="With the reason `confirmation_needed`: the page on which the member"
        " says yes to extra usage, as `POST /members/{member}/continue` does."
    )
    changeover: bool = Field(
        description="Whether extra usage begins with this request: included usage is used"
        " up, and no extra usage was recorded since. Tell the member."
    )
    layers: list[LayerOut]
    remaining_usd: Usd | None = Field(
        description="Extra usage left: the least of the member's cap, the organization's"
        " and the balance. null is unlimited, or a refusal."
    )
    window_remaining_usd: Usd | None = Field(
        description="Included usage left in the tightest window, which is used first."
        " null on plans without windows, or a refusal."
    )
    lease: LeaseOut | None = Field(
        description="Until either is used up, the client need not ask again. null where"
        " it has to: none was asked for, the organization allows none, or little is left."
    )


class ContinueIn(Schema):
    """The member's yes to extra usage."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"until": "window"}}
    )

    until: Literal["window", "month"] = Field(
        description="How long it holds, as the member chose: until the included usage"
        " that is used up resets, or until the month ends in the organization's zone."
    )


class ContinueOut(Schema):
    """The yes that holds now."""

    member: int
    confirmed_until: dt.datetime
