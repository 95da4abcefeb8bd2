"""Invoices, credit notes and statements in words: lines, kinds and totals as pages,
PDFs and mails print them.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.documents.queries.documents import is_credited_whole
from billing.models import CreditNote, Invoice, InvoiceLine, Statement, Surface
from billing.prices.words import correction_reason_text
from config.kit.dates import format_day
from config.kit.money import format_usd
from config.kit.months import local_day


def line_what(line: InvoiceLine) -> str:
    """What a line bills, without the person: surface and model, or the kind of the
    other lines.
    """
    if line.kind == InvoiceLine.Kind.USAGE:
        return f"{Surface(line.surface).label} · {line.model}"
    if line.kind == InvoiceLine.Kind.CORRECTION:
        words = {"events": line.about, "reason": correction_reason_text(line.reason)}
        return _("Correction of %(events)s: %(reason)s") % words
    before = line.invoice.carried_from
    if line.kind == InvoiceLine.Kind.CARRIED_IN:
        return _("Carried over from %(number)s") % {
            "number": before.number if before else ""
        }
    return _("Credit carried over to the next invoice")


def rate_text(rate: int) -> str:
    """A tax rate kept in thousandths of a percent: `8.875 %`, `10 %`."""
    whole, rest = divmod(rate, 1_000)
    return f"{whole}{f'.{rest:03d}'.rstrip('0') if rest else ''} %"


def tax_text(invoice: Invoice) -> str:
    """The tax line: its name and rate."""
    return f"{invoice.tax_label or _('Tax')} {rate_text(invoice.tax_rate)}"


def state_text(invoice: Invoice) -> str:
    """What became of an invoice, without its amount: due when, paid when, or void."""
    if invoice.status == Invoice.Status.VOID:
        return _("Void: nothing to pay")
    if is_credited_whole(invoice):
        return _("Credited in full")
    if (
        invoice.status == Invoice.Status.PAID
        and invoice.settled_at
        and invoice.total_nanos
    ):
        return _("Paid on %(day)s") % {
            "day": format_day(local_day(invoice.settled_at, invoice.zone))
        }
    if invoice.status == Invoice.Status.PAID:
        return _("Nothing to pay")
    return _("Due on %(day)s") % {
        "day": format_day(invoice.due_on) if invoice.due_on else ""
    }


def invoice_headline(invoice: Invoice, *, credited_nanos: int) -> str:
    """The one thing to know: how much, and what became of it."""
    owed = invoice.total_nanos - (
        credited_nanos if invoice.status == Invoice.Status.OPEN else 0
    )
    return _("%(amount)s · %(state)s") % {
        "amount": format_usd(owed),
        "state": state_text(invoice),
    }


def credit_headline(note: CreditNote) -> str:
    """What is taken back, of which invoice."""
    return _("%(amount)s credited on %(number)s") % {
        "amount": format_usd(note.total_nanos),
        "number": note.invoice.number,
    }


def statement_rows(statement: Statement) -> list[tuple[str, int]]:
    """A statement from its opening to its close: label and nano-USD; kinds that did not
    move are left out.
    """
    moved = [
        (_("Bought"), statement.purchases_nanos),
        (_("Auto-reloads"), statement.reloads_nanos),
        (_("Usage"), statement.charges_nanos),
        (_("Refunds"), statement.refunds_nanos),
        (_("Credits"), statement.credits_nanos),
        (_("Adjustments"), statement.adjustments_nanos),
    ]
    return [row for row in moved if row[1]]
