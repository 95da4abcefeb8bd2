"""Shapes of usage reports and receipts. Money is a decimal string of USD with 9 places."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from config.kit.api import Usd


class UsageRow(Schema):
    """One group: the grouped keys, then the sums."""

    model_config = ConfigDict(extra="allow")

    events: int
    input_tokens: int
    output_tokens: int
    cache_write_tokens: int
    cache_read_tokens: int
    included_usd: Usd
    extra_usage_usd: Usd
    unbilled_usd: Usd


class UsageList(Schema):
    """One page of groups."""

    results: list[UsageRow]
    next_cursor: str | None


class ReceiptLineOut(Schema):
    """A token class: count × rate."""

    kind: str
    count: int
    rate_usd: str
    per: int


class FactorOut(Schema):
    """What multiplied every token class; null where no factor was known."""

    condition: Literal["speed", "inference_geo", "service_tier"]
    value: str
    factor: str | None


class PartOut(Schema):
    """One inference inside the request, priced by itself."""

    kind: str
    model: str
    lines: list[ReceiptLineOut]
    factors: list[FactorOut]
    cost_usd: Usd
    estimated: bool
    free_of_charge: Annotated[
        bool, Field(description="Whether the model costs nothing by its list.")
    ]


class AdjustmentOut(Schema):
    """A difference booked later; to which member, none for what is nobody's."""

    member: int | None
    amount_usd: str
    reason: str
    counted: Annotated[
        dict[str, int] | None,
        Field(description="What a gateway counted instead of telemetry, by class."),
    ]
    month: str
    created_at: dt.datetime


class ReportingKeyOut(Schema):
    """An API key as its owner knows it: its name and how it begins."""

    name: str
    prefix: str


class EventOut(Schema):
    """The receipt of one event."""

    id: str
    member: int | None
    email: str | None
    # The name it came under, where that was nobody's.
    sent_as: str | None
    surface: str
    model: str
    provider: str | None
    source: Annotated[
        Literal["gateway", "telemetry", "import"],
        Field(description="Where its report came from."),
    ]
    request_id: Annotated[
        str | None, Field(description="What the provider calls the request.")
    ]
    seat_tier: str | None
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    month: str
    lines: list[ReceiptLineOut]
    parts: list[PartOut]
    exact_usd: Annotated[
        str,
        Field(description="The cost before its one half-even rounding to nine places."),
    ]
    cost_usd: Usd
    adjustments: list[AdjustmentOut]
    estimated: bool
    funding: Literal["included", "extra_usage", "unbilled"]
    funding_why: Literal["promised", "checked", "refused"]
    api_key: Annotated[
        ReportingKeyOut | None,
        Field(
            description=(
                "The key that reported it; null for events from before it was kept."
            )
        ),
    ]
    authorization_used_by: Annotated[
        str | None,
        Field(description="The event that its authorization had paid for already."),
    ]
    refusal_reason: str | None
    labels: dict[str, str]
