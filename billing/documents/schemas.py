"""Shapes of the invoice calls. Money is a decimal string of USD with 9 places."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from ninja import Schema

from billing.reports.schemas import MonthOut
from config.kit.api import Usd


class CreditNoteOut(Schema):
    """What was taken back of an invoice."""

    number: str
    total_usd: Usd
    reason: str
    issued_at: dt.datetime


class InvoiceOut(Schema):
    """The bill of one month.

    `exact_usd` + `carried_in_usd` = `subtotal_usd` + `carried_out_usd`.
    """

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
