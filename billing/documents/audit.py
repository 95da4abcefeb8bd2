"""How changes of billing details, invoices and credit notes read on the Activity page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy, ngettext

from accounts.audit import describes, register_changes, register_group, value_text
from billing.documents.words.documents import named_rate_text
from config.kit.money import format_usd

register_group("billing.", gettext_lazy("Billing details"), order=80)
register_group("invoice.", gettext_lazy("Invoices"), order=90)
register_changes(
    {
        "billing.details": gettext_lazy("Billing details"),
        "billing.terms": gettext_lazy("Tax and terms"),
        "invoice.status": gettext_lazy("Invoice"),
        "invoice.credit_note": gettext_lazy("Credit note"),
        "invoice.refund": gettext_lazy("Refund in Stripe"),
        "invoice.dispute": gettext_lazy("Disputed invoice"),
        "invoice.month": gettext_lazy("Closed month"),
        "invoice.numbers": gettext_lazy("Numbers left out"),
    }
)
INVOICE_STATES = {
    "open": gettext_lazy("Open"),
    "paid": gettext_lazy("Paid"),
    "void": gettext_lazy("Void"),
}


@describes("invoice.status")
def invoice_status_text(value: Any) -> str:
    """The status an invoice had or got."""
    return str(INVOICE_STATES.get(value) or value_text(value))


MONTH_STATES = {
    "closed": gettext_lazy("Closed"),
    "open": gettext_lazy("Open for usage"),
}


@describes("invoice.month")
def month_state_text(value: Any) -> str:
    """Whether a month takes usage."""
    return str(MONTH_STATES.get(value) or value_text(value))


@describes("billing.terms")
def terms_text(value: dict[str, Any]) -> str:
    """`VAT 19 %, 30 days to pay`."""
    tax = named_rate_text(value["tax_label"], value["tax_rate"])
    days = ngettext(
        "%(count)d day to pay", "%(count)d days to pay", value["due_days"]
    ) % {"count": value["due_days"]}
    return f"{tax}, {days}"


@describes("invoice.credit_note", amount=int)
def credited_text(value: int) -> str:
    """What a credit note takes back, kept in nano-USD."""
    return format_usd(value)
