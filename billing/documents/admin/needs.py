"""What needs somebody among documents: unpaid invoices, what the gateway refuses, months
that should have closed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.steps import step_url
from accounts.operators.needs import MOST_OF_A_KIND, Act, Need, register_needs
from billing.documents.admin.invoice_steps import CHANGE
from billing.documents.queries.overdue import overdue_months
from billing.models import Invoice
from config.kit.dates import day_text, month_text
from config.kit.money import format_usd

CLOSE_IS_LATE = dt.timedelta(hours=6)


def invoices_overdue(now: dt.datetime) -> Iterator[Need]:
    """Open invoices whose due day is over."""
    invoices = Invoice.objects.filter(
        status=Invoice.Status.OPEN, due_on__lt=now.date()
    ).select_related("organization")
    for invoice in invoices.order_by("due_on")[:MOST_OF_A_KIND]:
        assert invoice.due_on is not None
        days = (now.date() - invoice.due_on).days
        sentence = ngettext(
            "%(invoice)s over %(total)s is %(days)d day overdue",
            "%(invoice)s over %(total)s is %(days)d days overdue",
            days,
        ) % {
            "invoice": invoice.number,
            "total": format_usd(invoice.total_nanos),
            "days": days,
        }
        yield Need(
            sentence,
            _("due %(day)s") % {"day": day_text(invoice.due_on)},
            dt.datetime.combine(invoice.due_on, dt.time.max, dt.UTC),
            "receipt",
            (_paid(invoice), _shown(invoice)),
            has_stopped=True,
            organization=invoice.organization,
        )


def invoices_refused(now: dt.datetime) -> Iterator[Need]:
    """Invoices that the payment gateway does not take as they are."""
    invoices = Invoice.objects.exclude(gateway_error="").select_related("organization")
    for invoice in invoices.order_by("issued_at")[:MOST_OF_A_KIND]:
        yield Need(
            _("%(invoice)s did not reach the payment gateway")
            % {"invoice": invoice.number},
            invoice.gateway_error,
            invoice.issued_at,
            "receipt",
            (_shown(invoice),),
            organization=invoice.organization,
        )


def months_overdue(now: dt.datetime) -> Iterator[Need]:
    """Months that should have closed."""
    months = overdue_months(now=now, late=CLOSE_IS_LATE)
    for organization, month_on, due_at in months[:MOST_OF_A_KIND]:
        url = reverse("admin:billing_billingmonth_changelist")
        yield Need(
            _("%(month)s should have closed on %(day)s")
            % {"month": month_text(month_on), "day": day_text(due_at.date())},
            _("its documents are not issued yet"),
            due_at,
            "history",
            (
                Act(
                    _("Close the month"),
                    step_url("close-month", organization),
                    "billing.change_billingmonth",
                ),
                Act(
                    _("Show its months"),
                    f"{url}?customer={organization.pk}",
                    "billing.view_billingmonth",
                ),
            ),
            organization=organization,
        )


def _paid(invoice: Invoice) -> Act:
    url = step_url("mark-paid", invoice.organization)
    return Act(_("Mark as paid"), f"{url}?invoice={invoice.pk}", CHANGE)


def _shown(invoice: Invoice) -> Act:
    url = reverse("admin:billing_invoice_change", args=[invoice.pk])
    return Act(_("Show the invoice"), url, "billing.view_invoice")


register_needs(
    "invoices_overdue",
    invoices_overdue,
    label=gettext_lazy("Overdue invoices"),
    permission="billing.view_invoice",
)
register_needs(
    "invoices_refused",
    invoices_refused,
    label=gettext_lazy("Invoices at the gateway"),
    permission="billing.view_invoice",
)
register_needs(
    "months_overdue",
    months_overdue,
    label=gettext_lazy("Months to close"),
    permission="billing.view_billingmonth",
)
