"""Shapes of the metering calls, for validation and for the OpenAPI description."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field, WithJsonSchema

from config.kit.api import at_most

MAX_EVENTS = 1_000


EVENT_EXAMPLE: dict[str, Any] = {
    "id": "call-7d1f2c",
    "member": "bob@acme.example",
    "surface": "claude_code",
    "model": "claude-sonnet-5",
    "occurred_at": "2026-11-23T19:28:00Z",
    "usage": {
        "input_tokens": 1200,
        "output_tokens": 350,
        "cache_read_input_tokens": 18000,
    },
    "labels": {"project": "billing"},
    "source": "gateway",
    "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
}


class UsageIn(Schema):
    """1 to 1,000 events.

    Each is validated on its own: an invalid one is answered `invalid` and stops no
    other.
    """

    model_config = ConfigDict(
        json_schema_extra={"example": {"events": [EVENT_EXAMPLE]}}
    )

    events: Annotated[
        list[
            Annotated[
                Any,
                WithJsonSchema(
                    {
                        "description": (
                            "An event: id, member (a personal token may leave it"
                            " out), surface (a short name of a-z, 0-9, _ and -), model,"
                            " occurred_at, usage, provider?, authorization?, labels?,"
                            " request_id? (the provider's, at most 200 characters),"
                            " source? (gateway, the default, telemetry or import)"
                        ),
                        "example": EVENT_EXAMPLE,
                    }
                ),
            ]
        ],
        Field(min_length=1),
        at_most(MAX_EVENTS),
    ]


class FieldError(Schema):
    """What is wrong with one field of an event."""

    loc: list[str | int]
    msg: str


class EventResultOut(Schema):
    """What became of one event."""

    id: str | None
    status: Literal["recorded", "duplicate", "conflict", "invalid"]
    funding: Literal["included", "extra_usage", "unbilled"] | None
    cost_usd: str | None
    estimated: bool
    errors: list[FieldError]
    notes: Annotated[
        list[str] | None,
        Field(
            description=(
                "What was taken otherwise than sent, cut or dropped; of a report of what"
                " was recorded before, under which id, and whose count holds."
            )
        ),
    ] = None


class UsageOut(Schema):
    """Counts, and the results in the order sent."""

    recorded: int
    duplicates: int
    conflicts: int
    invalid: int
    results: list[EventResultOut]
