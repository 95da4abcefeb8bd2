"""CSVs of invoices and statements: every line, every event, every entry; exact to nine
places, streamed.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from billing.documents.queries import documents
from billing.documents.words import reason_text
from billing.ledger.words import entry_cells, entry_heads
from billing.models import Invoice, LedgerEntry, Statement, UsageEvent
from config.kit.csv_files import plain, streamed
from config.kit.money import to_decimal_text

CHUNK = 2_000


def lines_csv(invoice: Invoice) -> StreamingHttpResponse:
    """Every line of an invoice, in order."""
    return streamed(_lines(invoice), name=f"{invoice.number}-lines")


def _lines(invoice: Invoice) -> Iterator[list[str]]:
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
        texts = map(
            plain,
            (line.kind, line.member_name, line.member_email, line.surface, line.model),
        )
        yield [
            str(line.position),
            *texts,
            str(line.events),
            to_decimal_text(line.exact_nanos),
            to_decimal_text(line.amount_nanos, places=2),
            plain(line.about),
            plain(reason_text(line.reason)),
        ]


def events_csv(invoice: Invoice) -> StreamingHttpResponse:
    """Every event an invoice bills, then every difference booked later that it bills."""
    return streamed(_events(invoice), name=f"{invoice.number}-events")


def _events(invoice: Invoice) -> Iterator[list[str]]:
    yield _event_heads()
    for event in documents.events_of_month(invoice):
        yield [
            plain(event.event_id),
            "event",
            *_who(event),
            *_tokens(event),
            "1" if event.estimated else "",
            to_decimal_text(event.cost_nanos),
            "",
        ]
    for adjustment in documents.adjustments_of_month(invoice).iterator(
        chunk_size=CHUNK
    ):
        amount = to_decimal_text(adjustment.amount_nanos)
        yield [
            plain(adjustment.event.event_id),
            "correction",
            *_who(adjustment.event),
            *[""] * 6,
            "",
            amount,
            plain(reason_text(adjustment.reason)),
        ]


def _event_heads() -> list[str]:
    return [
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


def _who(event: UsageEvent) -> list[str]:
    user = event.membership.user
    times = [event.occurred_at.isoformat(), event.recorded_at.isoformat()]
    return [
        *times,
        plain(user.name),
        plain(user.email),
        event.surface,
        plain(event.model),
    ]


def _tokens(event: UsageEvent) -> list[str]:
    counts = (
        event.input_tokens,
        event.output_tokens,
        event.cache_write_5m_tokens,
        event.cache_write_1h_tokens,
        event.cache_read_tokens,
        event.web_searches,
    )
    return [str(count) for count in counts]


def statement_csv(statement: Statement) -> StreamingHttpResponse:
    """The month of a ledger: opening balance, every entry, closing balance."""
    return streamed(
        _entries(statement),
        name=f"{statement.organization.slug}-{statement.month_on:%Y-%m}",
    )


def _entries(statement: Statement) -> Iterator[list[str]]:
    yield entry_heads()
    balance = statement.opening_nanos
    yield ["", "", "opening", _("Opening balance"), "", "", to_decimal_text(balance)]
    entries = LedgerEntry.objects.filter(
        organization_id=statement.organization_id, month_on=statement.month_on
    )
    entries = entries.select_related(
        "membership__user", "payment", "refund", "actor"
    ).order_by("pk")
    for entry in entries.iterator(chunk_size=CHUNK):
        balance += entry.amount_nanos
        yield entry_cells(entry, balance_nanos=balance)
    yield [
        "",
        "",
        "closing",
        _("Closing balance"),
        "",
        "",
        to_decimal_text(statement.closing_nanos),
    ]
