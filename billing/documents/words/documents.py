"""Invoices, credit notes and statements in words, in the active language.

Pages, PDFs, CSVs, the API, mails and the operators' admin all take their words from here,
so that they say the same. Days are those of the document's own time zone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.documents.queries.documents import (
    credited_nanos,
    is_credited_whole,
    owed_nanos,
)
from billing.documents.words.money_back import money_back_sentences
from billing.models import (
    CreditNote,
    Invoice,
    InvoiceLine,
    PurchaseReceipt,
    Statement,
    StatementLine,
    surface_label,
)
from billing.prices.words import correction_reason_text
from config.kit.dates import format_day, month_text
from config.kit.money import format_usd
from config.kit.months import local_day
from config.kit.one_line import isolated, shown_line

# A label and nano-USD.
Row = tuple[str, int]


def line_text(line: InvoiceLine) -> str:
    """What a line bills, without the person: surface and model, or its kind."""
    if line.kind == InvoiceLine.Kind.USAGE:
        return model_text(line.surface, line.model)
    if line.kind == InvoiceLine.Kind.CORRECTION:
        return correction_text(line.about, reason=line.reason)
    if line.kind == InvoiceLine.Kind.CARRIED_IN:
        previous = line.invoice.carried_from
        return _("Carried over from %(number)s") % {
            "number": previous.number if previous else ""
        }
    return _("Credit carried over to the next invoice")


def model_text(surface: str, model: str) -> str:
    """`Claude Code · claude-sonnet-5`."""
    return f"{surface_label(surface)} · {isolated(model)}"


def correction_text(about: str, *, reason: str) -> str:
    """What was corrected, events or a model, and why."""
    return _("Correction of %(events)s: %(reason)s") % {
        "events": isolated(about),
        "reason": isolated(correction_reason_text(reason)),
    }


def carryover_text() -> str:
    """The head over what comes from the invoice before, or goes on to the next one."""
    return _("Carryover")


def more_models_text(count: int) -> str:
    """The last row of a table of models that has an end."""
    return ngettext("and %(count)s more model", "and %(count)s more models", count) % {
        "count": f"{count:,}"
    }


def more_corrections_text(count: int) -> str:
    """The last row of a table of corrections that has an end."""
    return ngettext(
        "and %(count)s more correction", "and %(count)s more corrections", count
    ) % {"count": f"{count:,}"}


def member_text(line: InvoiceLine | StatementLine) -> str:
    """`Ada Okafor (ada@acme.example)`; empty for a line of nobody.

    The address also says who it is where no font can print the name.
    """
    if not line.membership_id:
        return ""
    return person_text(line.member_name, line.member_email)


def person_text(name: str, email: str) -> str:
    """Name and address; the address alone for somebody without a name."""
    name = shown_line(name)
    return f"{isolated(name)} ({email})" if name else email


def tax_rate_text(rate: int) -> str:
    """A tax rate kept in thousandths of a percent: `8.875 %`, `10 %`."""
    whole, thousandths = divmod(rate, 1_000)
    decimals = f".{thousandths:03d}".rstrip("0") if thousandths else ""
    return f"{whole}{decimals} %"


def tax_text(document: Invoice | PurchaseReceipt) -> str:
    """The tax line: its name and rate."""
    return named_rate_text(document.tax_label or _("Tax"), document.tax_rate)


def named_rate_text(label: str, rate: int) -> str:
    """`VAT 19 %`; a name that is read from right to left does not move the rate."""
    return f"{isolated(label)} {tax_rate_text(rate)}".strip()


def due_text(invoice: Invoice) -> str:
    """The day it is due; empty for a draft."""
    return format_day(invoice.due_on) if invoice.due_on else ""


def day_in_zone(moment: dt.datetime | None, zone: str) -> str:
    """The day of an instant by the clock of a zone; empty without one."""
    return format_day(local_day(moment, zone)) if moment else ""


def period_text(document: Invoice | Statement) -> str:
    """`November 2026 (America/New_York)`: the month it is about, and whose days those are."""
    return f"{month_text(document.month_on)} ({document.zone})"


def state_text(invoice: Invoice) -> str:
    """What became of an invoice, without its amount: due when, paid when, or void."""
    if invoice.status == Invoice.Status.VOID:
        return _("Void: nothing to pay")
    if is_credited_whole(invoice):
        return _("Credited in full")
    if invoice.status == Invoice.Status.OPEN and invoice.reopened_at is not None:
        return _("Open again since %(day)s: the payment was taken back") % {
            "day": day_in_zone(invoice.reopened_at, invoice.zone)
        }
    if invoice.status != Invoice.Status.PAID:
        return _("Due on %(day)s") % {"day": due_text(invoice)}
    if invoice.settled_at and invoice.total_nanos:
        return _("Paid on %(day)s") % {
            "day": day_in_zone(invoice.settled_at, invoice.zone)
        }
    return _("Nothing to pay")


def pay_text(invoice: Invoice) -> list[str]:
    """How an open invoice is paid: to whom, until when, by which words, and where to ask;
    what the seller's note says stands behind. Empty where nothing is to pay.
    """
    if invoice.status != Invoice.Status.OPEN:
        return []
    seller = invoice.seller
    values = {
        "amount": format_usd(owed_nanos(invoice)),
        "seller": isolated(str(seller.get("name", ""))),
        "number": invoice.number,
        "day": due_text(invoice),
    }
    texts = [
        _("Pay %(amount)s to %(seller)s by %(day)s and name the number %(number)s.")
        % values
    ]
    if note := str(seller.get("note", "")):
        texts.append(note)
    if email := str(seller.get("email", "")):
        texts.append(_("Questions go to %(address)s.") % {"address": email})
    elif not note:
        texts.append(_("Where to pay is agreed with them: no account is named here."))
    return texts


def stamp_text(invoice: Invoice) -> str:
    """The word stamped across paper: credited, paid or void; none while it is open."""
    if is_credited_whole(invoice):
        return _("Credited")
    if invoice.status in (Invoice.Status.PAID, Invoice.Status.VOID):
        return str(invoice.get_status_display())
    return ""


def invoice_headline(invoice: Invoice) -> str:
    """The one thing to know: how much, and what became of it."""
    is_open = invoice.status == Invoice.Status.OPEN
    amount = owed_nanos(invoice) if is_open else invoice.total_nanos
    return _("%(amount)s · %(state)s") % {
        "amount": format_usd(amount),
        "state": state_text(invoice),
    }


def credit_note_headline(note: CreditNote) -> str:
    """What is taken back, of which invoice."""
    return _("%(amount)s credited on %(number)s") % {
        "amount": format_usd(note.total_nanos),
        "number": note.invoice.number,
    }


def statement_headline(statement: Statement) -> str:
    """What the balance came to."""
    return _("%(amount)s at the end of %(month)s") % {
        "amount": format_usd(statement.closing_nanos),
        "month": month_text(statement.month_on),
    }


def invoice_totals(invoice: Invoice) -> Iterator[Row]:
    """Below the lines: labels and nano-USD; the last row is what counts."""
    if invoice.tax_rate:
        yield _("Subtotal"), invoice.subtotal_nanos
        yield tax_text(invoice), invoice.tax_nanos
    yield _("Total"), invoice.total_nanos
    credited = credited_nanos(invoice)
    if invoice.status == Invoice.Status.OPEN and invoice.reopened_at is not None:
        if credited:
            yield _("Credited"), -credited
        yield _("Amount due"), owed_nanos(invoice)
        return
    if not credited:
        return
    yield _("Credited"), -credited
    left = invoice.total_nanos - credited
    if invoice.status == Invoice.Status.OPEN:
        yield _("Amount due"), left
    else:
        yield _("After credits"), left


def credit_note_totals(note: CreditNote) -> Iterator[Row]:
    """Below the reason: labels and nano-USD; the last row is what counts."""
    if note.tax_nanos:
        yield _("Subtotal"), note.subtotal_nanos
        yield tax_text(note.invoice), note.tax_nanos
    yield _("Total credited"), note.total_nanos


def statement_rows(statement: Statement) -> list[Row]:
    """What moved a balance in its month: labels and nano-USD; nothing that did not move."""
    rows = [
        (_("Bought"), statement.purchases_nanos),
        (_("Auto-reloads"), statement.reloads_nanos),
        (_("Usage"), statement.charges_nanos),
        (_("Refunds"), statement.refunds_nanos),
        (_("Disputes"), statement.disputes_nanos),
        (_("Credits"), statement.credits_nanos),
        (_("Adjustments"), statement.adjustments_nanos),
    ]
    return [(label, nanos) for label, nanos in rows if nanos]


def invoice_notes(invoice: Invoice, *, summed_lines: int) -> Iterator[str]:
    """The small print; `summed_lines` is how many lines the paper only sums, if any."""
    if invoice.seller.get("note"):
        yield str(invoice.seller["note"])
    yield from money_back_sentences(invoice)
    if summed_lines:
        yield (
            _("Summed by model; the CSV of this invoice has all %(count)s lines.")
            % {"count": f"{summed_lines:,}"}
        )
    yield _(
        "Each line is summed exactly and rounded to cents; the rounding "
        "difference is carried over to the next invoice."
    )


def statement_notes(*, has_people: bool) -> Iterator[str]:
    """The small print of a statement, which may have too many people for paper."""
    if not has_people:
        yield _("The CSV of this statement shows each person's usage.")
    yield _("Amounts are kept to the nano-dollar and shown in cents.")
