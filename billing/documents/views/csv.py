"""CSVs of invoices and statements, streamed: every line, every event, every entry.

Exact to nine places of USD; instants in UTC; kinds as codes, for machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from billing.documents.queries.usage_behind import (
    adjustments_of_invoice,
    events_of_invoice,
)
from billing.ledger.words import entry_cells, entry_heads
from billing.models import (
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Statement,
    UsageAdjustment,
    UsageEvent,
    UsagePart,
)
from billing.prices.words import correction_reason_text
from config.kit.csv_files import Amount, streamed

CHUNK = 2_000


def lines_csv(invoice: Invoice) -> StreamingHttpResponse:
    """Every line of an invoice, in order."""
    return streamed(_line_rows(invoice), name=f"{invoice.number}-lines")


def _line_rows(invoice: Invoice) -> Iterator[list[Any]]:
    yield [
        _("Line"),
        _("Kind"),
        _("Person"),
        _("E-mail"),
        _("Surface"),
        _("Model"),
        _("Requests"),
        _("Exact (USD)"),
        _("Amount (USD)"),
        _("About"),
        _("Reason"),
    ]
    for line in invoice.lines.order_by("position").iterator(chunk_size=CHUNK):
        yield _line_cells(line)


def _line_cells(line: InvoiceLine) -> list[Any]:
    return [
        line.position,
        line.kind,
        line.member_name,
        line.member_email,
        line.surface,
        line.model,
        line.events,
        Amount(line.exact_nanos),
        Amount(line.amount_nanos, places=2),
        line.about,
        correction_reason_text(line.reason),
    ]


def events_csv(invoice: Invoice) -> StreamingHttpResponse:
    """Every event an invoice bills, then every difference booked later that it bills."""
    return streamed(_event_rows(invoice), name=f"{invoice.number}-events")


def _event_rows(invoice: Invoice) -> Iterator[list[Any]]:
    yield [
        _("Event"),
        _("Kind"),
        _("Occurred (UTC)"),
        _("Recorded (UTC)"),
        _("Person"),
        _("E-mail"),
        _("Surface"),
        _("Model"),
        _("Input"),
        _("Output"),
        _("Cache write 5 min"),
        _("Cache write 1 h"),
        _("Cache read"),
        _("Web searches"),
        _("Estimated"),
        _("Cost (USD)"),
        _("Reason"),
    ]
    for event in events_of_invoice(invoice):
        for row in event.parts.all() if event.is_split else [event]:
            yield _event_cells(event, row)
    for adjustment in adjustments_of_invoice(invoice).iterator(chunk_size=CHUNK):
        yield _adjustment_cells(adjustment)


def _event_cells(event: UsageEvent, row: UsageEvent | UsagePart) -> list[Any]:
    """An event, or one part of it at its own model."""
    return [
        event.event_id,
        row.kind if isinstance(row, UsagePart) else "event",
        *_request_cells(event, row.model),
        *_token_cells(row),
        "1" if row.estimated else "",
        Amount(row.cost_nanos),
        "",
    ]


def _adjustment_cells(adjustment: UsageAdjustment) -> list[Any]:
    """What the event was corrected by; it used no tokens of its own."""
    no_tokens = [""] * 6
    return [
        adjustment.event.event_id,
        "correction",
        *_request_cells(adjustment.event, (adjustment.part or adjustment.event).model),
        *no_tokens,
        "",
        Amount(adjustment.amount_nanos),
        correction_reason_text(adjustment.reason),
    ]


def _request_cells(event: UsageEvent, model: str) -> list[Any]:
    """When, by whom, where and by which model."""
    user = event.membership.user
    return [
        event.occurred_at,
        event.recorded_at,
        user.name,
        user.email,
        event.surface,
        model,
    ]


def _token_cells(row: UsageEvent | UsagePart) -> list[Any]:
    counts = (
        row.input_tokens,
        row.output_tokens,
        row.cache_write_5m_tokens,
        row.cache_write_1h_tokens,
        row.cache_read_tokens,
        row.web_searches,
    )
    return list(counts)


def statement_csv(statement: Statement) -> StreamingHttpResponse:
    """The month of a ledger: opening balance, every entry, closing balance."""
    name = f"{statement.organization.slug}-{statement.month_on:%Y-%m}"
    return streamed(_entry_rows(statement), name=name)


def _entry_rows(statement: Statement) -> Iterator[list[Any]]:
    yield entry_heads()
    balance = statement.opening_nanos
    yield _balance_cells("opening", _("Opening balance"), nanos=balance)
    for entry in _entries_of(statement).iterator(chunk_size=CHUNK):
        balance += entry.amount_nanos
        yield entry_cells(entry, balance_nanos=balance)
    yield _balance_cells("closing", _("Closing balance"), nanos=statement.closing_nanos)


def _entries_of(statement: Statement) -> QuerySet[LedgerEntry]:
    entries = LedgerEntry.objects.filter(
        organization_id=statement.organization_id, month_on=statement.month_on
    )
    return entries.select_related(
        "membership__user", "payment", "refund", "dispute", "actor"
    ).order_by("pk")


def _balance_cells(kind: str, label: str, *, nanos: int) -> list[Any]:
    """A row below the heads of the ledger that has only a kind, a name and a balance."""
    return ["", "", kind, label, "", "", Amount(nanos)]
