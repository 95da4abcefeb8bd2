"""What billing shows on an operator's page of one customer of its months, documents and
payments, each with the steps that may be taken on it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.panels import Label, Look, Panel, links_to_steps, register_panels
from billing.documents.queries.documents import invoices_of, statements_of
from billing.models import Invoice, OrganizationMonth, Payment
from billing.reports.bars import Bar, row_bar
from config.kit.dates import month_text

SHOWN = 5
Links = list[tuple[Label, str]]
# Number, page, state, and whether it waits to be paid.
Document = tuple[str, str, str, bool]
STEPS_ON_INVOICES: dict[str, tuple[str, ...]] = {
    Invoice.Status.OPEN: ("mark-paid", "credit-note", "void"),
    Invoice.Status.PAID: ("credit-note",),
}
STEPS_ON_PAYMENTS: dict[str, tuple[str, ...]] = {
    Payment.Status.STARTED: ("ask-gateway",),
    Payment.Status.ACTION: ("ask-gateway",),
    Payment.Status.SUCCEEDED: ("refund",),
}


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month: its extra usage (nano-USD) beside the dearest of those shown, its events
    and the document that came of it.
    """

    month_on: dt.date
    spent_nanos: int
    events: str
    bar: Bar | None
    number: str
    document_url: str
    state: str
    is_open: bool
    acts: Links


def months_panel(look: Look) -> dict[str, Any]:
    """The latest months, the open one first."""
    organization = look.organization
    latest = OrganizationMonth.objects.filter(organization=organization)
    months = list(latest.order_by("-month_on")[:SHOWN])
    dearest = max((month.extra_nanos for month in months), default=0)
    documents = _documents_by_month(organization, [one.month_on for one in months])
    return {
        "rows": [_month_row(one, dearest, documents, look) for one in months],
        "number": latest.count(),
        "all_url": _list_url("billing_organizationmonth", organization),
    }


def _month_row(
    month: OrganizationMonth,
    dearest: int,
    documents: dict[dt.date, Document],
    look: Look,
) -> MonthRow:
    is_open = month.month_on >= look.organization.calendar.month_at(look.now).first_on
    is_late = not is_open and month.month_on not in documents
    waiting = _("in progress") if is_open else _("no document")
    number, url, state, is_owed = documents.get(
        month.month_on, ("", "", waiting, is_open)
    )
    return MonthRow(
        month.month_on,
        month.extra_nanos,
        f"{month.events:,}",
        row_bar(month.extra_nanos, cap_nanos=dearest + 1) if dearest else None,
        number,
        url,
        state,
        is_owed,
        _closing(look, month.month_on) if is_late else [],
    )


def _closing(look: Look, month_on: dt.date) -> Links:
    """A month that is over and has no document may have to be closed."""
    return _links(look, "close-month", month=f"{month_on:%Y-%m}")


def _documents_by_month(
    organization: Organization, months: list[dt.date]
) -> dict[dt.date, Document]:
    """The invoice of each month, else its statement."""
    found: dict[dt.date, Document] = {}
    for statement in statements_of(organization.pk).filter(month_on__in=months):
        url = reverse("admin:billing_statement_change", args=[statement.pk])
        found[statement.month_on] = (_("Statement"), url, _("closed"), False)
    for invoice in invoices_of(organization.pk).filter(month_on__in=months):
        url = reverse("admin:billing_invoice_change", args=[invoice.pk])
        state, is_owed = (
            str(invoice.get_status_display()),
            invoice.status == Invoice.Status.OPEN,
        )
        found[invoice.month_on] = (invoice.number, url, state, is_owed)
    return found


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """A document or a payment, in nano-USD."""

    label: str
    detail: str
    url: str
    at: dt.datetime
    nanos: int
    state: str
    is_done: bool
    acts: Links


def money_panel(look: Look) -> dict[str, Any]:
    """The latest invoices and payments, newest first."""
    organization = look.organization
    rows = [*_invoice_rows(look), *_payment_rows(look)]
    rows.sort(key=lambda row: row.at, reverse=True)
    return {
        "rows": rows[:SHOWN],
        "zone": look.zone,
        "invoices_url": _list_url("billing_invoice", organization),
        "payments_url": _list_url("billing_payment", organization),
    }


def _invoice_rows(look: Look) -> Iterator[MoneyRow]:
    latest = invoices_of(look.organization.pk).exclude(issued_at=None)
    for invoice in latest.order_by("-issued_at", "-pk")[:SHOWN]:
        assert invoice.issued_at is not None
        yield MoneyRow(
            invoice.number,
            _("Invoice, %(month)s") % {"month": month_text(invoice.month_on)},
            reverse("admin:billing_invoice_change", args=[invoice.pk]),
            invoice.issued_at,
            invoice.total_nanos,
            str(invoice.get_status_display()),
            invoice.status != Invoice.Status.OPEN,
            _links(
                look, *STEPS_ON_INVOICES.get(invoice.status, ()), invoice=invoice.pk
            ),
        )


def _payment_rows(look: Look) -> Iterator[MoneyRow]:
    latest = Payment.objects.filter(organization=look.organization)
    for payment in latest.order_by("-created_at", "-pk")[:SHOWN]:
        yield MoneyRow(
            str(payment.get_purpose_display()),
            payment.card_label,
            reverse("admin:billing_payment_change", args=[payment.pk]),
            payment.created_at,
            payment.amount_nanos,
            str(payment.get_status_display()),
            payment.status == Payment.Status.SUCCEEDED,
            _links(
                look, *STEPS_ON_PAYMENTS.get(payment.status, ()), payment=payment.pk
            ),
        )


def _list_url(table: str, organization: Organization) -> str:
    asked = urlencode({"organization__id__exact": organization.pk})
    return f"{reverse(f'admin:{table}_changelist')}?{asked}"


def _links(look: Look, *names: str, **chosen: object) -> Links:
    return links_to_steps(look.organization, look.operator, *names, **chosen)


register_panels(
    Panel("months", "admin/customer/_months.html", months_panel, order=10),
    Panel("money", "admin/customer/_money.html", money_panel, order=50),
)
