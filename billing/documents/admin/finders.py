"""What the operators' search finds of documents: by number."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.operators.finding import (
    MOST_OF_A_KIND,
    FinderKind,
    Found,
    list_search,
    register_finder,
)
from billing.models import CreditNote, Invoice, PurchaseReceipt
from config.kit.money import format_usd


def find_invoices(text: str) -> list[Found]:
    """By the beginning of the number; the whole id at the gateway too."""
    by_number = _numbered(Invoice.objects.issued(), text, "billing_invoice")
    rows = Invoice.objects.filter(gateway_id=text).select_related("organization")
    return by_number or [_found(row, text, "billing_invoice") for row in rows[:1]]


def find_credit_notes(text: str) -> list[Found]:
    """By the beginning of the number."""
    return _numbered(CreditNote.objects.all(), text, "billing_creditnote")


def find_receipts(text: str) -> list[Found]:
    """By the beginning of the number."""
    return _numbered(PurchaseReceipt.objects.all(), text, "billing_purchasereceipt")


def _numbered(rows: QuerySet[Any], text: str, name: str) -> list[Found]:
    rows = rows.filter(number__istartswith=text).select_related("organization")
    return [
        _found(row, text, name) for row in rows.order_by("-pk")[: MOST_OF_A_KIND + 1]
    ]


def _found(row: Any, text: str, name: str) -> Found:
    return Found(
        row.number,
        f"{row.organization.name} · {format_usd(row.total_nanos)}",
        reverse(f"admin:{name}_change", args=[row.pk]),
        text.lower() in (row.number.lower(), getattr(row, "gateway_id", "")),
    )


register_finder(
    "invoices",
    FinderKind(
        gettext_lazy("Invoices"),
        "receipt",
        find_invoices,
        "billing.view_invoice",
        list_search("billing_invoice_changelist"),
    ),
)
register_finder(
    "credit_notes",
    FinderKind(
        gettext_lazy("Credit notes"),
        "receipt-2",
        find_credit_notes,
        "billing.view_creditnote",
        list_search("billing_creditnote_changelist"),
    ),
)
register_finder(
    "receipts",
    FinderKind(
        gettext_lazy("Receipts"),
        "receipt-2",
        find_receipts,
        "billing.view_purchasereceipt",
        list_search("billing_purchasereceipt_changelist"),
    ),
)
