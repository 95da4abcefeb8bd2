"""Shapes of the reading and managing calls. Money is a decimal string of USD with 9 places, caps with 2."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema

from .metering_schemas import MemberRef, at_most

Usd = Annotated[str, Field(description="USD as a decimal string with 9 places.", examples=["0.012345000"])]
CapUsd = Annotated[str, Field(description="USD as a decimal string with 2 places.", examples=["50.00"])]


class Problem(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class ExtraUsageOut(Schema):
    """The switch and for whom."""

    enabled: bool
    scope: Literal["everyone", "selected"]


class MonthOut(Schema):
    """The current billing month, as instants."""

    start: dt.datetime
    end: dt.datetime


class OrganizationOut(Schema):
    """The key's organization."""

    slug: str
    name: str
    plan: str
    settlement: str
    timezone: str
    extra_usage: ExtraUsageOut
    cap_usd: CapUsd | None
    mtd_spend_usd: Usd
    month: MonthOut
    balance_usd: Usd | None


class WindowOut(Schema):
    """One included window."""

    name: str
    limit_usd: Usd
    used_usd: Usd
    resets_at: dt.datetime | None


class BlockedOut(Schema):
    """Why the member can't go on, and until when."""

    reason: str
    message: str
    resets_at: dt.datetime | None


class MemberOut(Schema):
    """One member, with what a check would look at."""

    id: int
    email: str
    name: str
    role: Literal["member", "admin", "owner", "primary_owner"]
    seat_tier: Literal["standard", "premium"] | None
    status: Literal["active", "removed"]
    extra_usage_enabled: bool
    cap_usd: CapUsd | None
    cap_source: Literal["member", "seat_tier", "none"]
    cap_this_month_only: bool
    mtd_spend_usd: Usd
    windows: list[WindowOut]
    blocked: BlockedOut | None


class MemberList(Schema):
    """A page of members."""

    results: list[MemberOut]
    next_cursor: str | None


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
    """All groups; never paged, since groups are few."""

    results: list[UsageRow]
    next_cursor: str | None


class ReceiptLineOut(Schema):
    """A token class: count × rate."""

    kind: str
    count: int
    rate_usd: str
    per: int


class AdjustmentOut(Schema):
    """A difference booked later."""

    amount_usd: str
    reason: str
    month: str
    created_at: dt.datetime


class EventOut(Schema):
    """The receipt of one event."""

    id: str
    member: int
    email: str
    surface: str
    model: str
    seat_tier: str | None
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    month: str
    lines: list[ReceiptLineOut]
    exact_usd: Annotated[str, Field(description="The cost before its one half-even rounding to nine places.")]
    cost_usd: Usd
    adjustments: list[AdjustmentOut]
    estimated: bool
    funding: Literal["included", "extra_usage", "unbilled"]
    funding_why: Literal["promised", "checked", "refused"]
    refusal_reason: str | None
    labels: dict[str, str]


class CreditNoteOut(Schema):
    """What was taken back of an invoice."""

    number: str
    total_usd: Usd
    reason: str
    issued_at: dt.datetime


class InvoiceOut(Schema):
    """The bill of one month. `exact_usd` + `carried_in_usd` = `subtotal_usd` + `carried_out_usd`."""

    number: str
    status: Literal["open", "paid", "void"]
    month: MonthOut
    currency: Literal["USD"]
    subtotal_usd: Usd
    tax_usd: Usd
    total_usd: Usd
    credited_usd: Usd
    owed_usd: Usd
    exact_usd: Usd
    carried_in_usd: Usd
    carried_out_usd: Usd
    issued_at: dt.datetime
    due_on: dt.date
    paid_at: dt.datetime | None
    credit_notes: list[CreditNoteOut]


class InvoiceList(Schema):
    """A page of invoices."""

    results: list[InvoiceOut]
    next_cursor: str | None


class InvoiceLineOut(Schema):
    """One line; `amount_usd` is `exact_usd` rounded half-even to cents."""

    position: int
    kind: Literal["usage", "correction", "carried_in", "carried_out"]
    member: int | None
    email: str | None
    surface: str | None
    model: str | None
    events: int
    exact_usd: Usd
    amount_usd: Usd
    about: str | None
    reason: str | None


class InvoiceWithLines(InvoiceOut):
    """An invoice with a page of its lines."""

    lines: list[InvoiceLineOut]
    next_cursor: str | None


AMOUNT_PATTERN = r"^(1000000(\.0{1,2})?|[0-9]{1,6}(\.[0-9]{1,2})?)$"


def _amount_text(value: Any) -> str:
    """A decimal string of USD that a cap can take; says what is wrong with any other."""
    if not isinstance(value, str):
        raise ValueError('must be a decimal string such as "50.00", not a JSON number')
    if re.fullmatch(AMOUNT_PATTERN, value, re.ASCII):
        return value
    if re.fullmatch(r"[0-9]+\.[0-9]{3,}", value, re.ASCII):
        raise ValueError("has more than two decimals; caps go to whole cents")
    if re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", value, re.ASCII):
        raise ValueError("is over 1000000, the largest cap")
    raise ValueError('must be USD from 0 to 1000000 as a plain decimal string such as "50.00"')


AmountText = Annotated[
    str,
    BeforeValidator(_amount_text),
    WithJsonSchema({"type": "string", "pattern": AMOUNT_PATTERN, "examples": ["50.00"],
                    "description": "USD from 0 to 1000000 with at most two decimals, as a string."}),
]  # fmt: skip


class CapIn(Schema):
    """A cap: an amount, or null for unlimited."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"amount_usd": "50.00"}})

    amount_usd: AmountText | None
    this_month_only: StrictBool = False


class CapOut(Schema):
    """The cap as it holds this month."""

    amount_usd: CapUsd | None
    this_month_only: bool


class SwitchIn(Schema):
    """The switch; `members` are e-mail addresses or membership ids."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"enabled": True, "scope": "everyone"}})

    enabled: StrictBool
    scope: Literal["everyone", "selected"]
    members: Annotated[list[MemberRef], at_most(20_000)] | None = None


class SwitchOut(ExtraUsageOut):
    """The switch as it is now."""

    members: list[int]


ERRORS: dict[int, Any] = {401: Problem, 403: Problem, 404: Problem, 409: Problem, 413: Problem, 422: Problem}
