"""Receipts of purchases for owners, as a page and on paper."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.documents.print.documents import printed_receipt
from billing.documents.views.documents import pdf_response
from billing.documents.words.receipts import (
    bought_text,
    receipt_facts,
    receipt_notes,
    receipt_state_text,
    receipt_totals,
)
from billing.models import PurchaseReceipt
from billing.payments.parties import address_lines
from config.kit.later import much_to_make


def receipt_of(membership: Membership, number: str) -> PurchaseReceipt:
    """The organization's receipt of that number. Raises Http404."""
    receipts = PurchaseReceipt.objects.select_related(
        "organization", "payment__created_by"
    )
    return get_object_or_404(
        receipts, organization=membership.organization_id, number=number
    )


@member_page(Role.OWNER)
@require_safe
def purchase_receipt(
    request: HttpRequest, membership: Membership, number: str
) -> HttpResponse:
    """One purchase: what was paid, by whom, to whom, and the tax in it."""
    receipt = receipt_of(membership, number)
    context = {
        "receipt": receipt,
        "organization": receipt.organization,
        "state_words": receipt_state_text(receipt),
        "facts": receipt_facts(receipt),
        "what": bought_text(),
        "totals": receipt_totals(receipt),
        "notes": receipt_notes(receipt),
        "seller": address_lines(receipt.seller),
        "buyer": address_lines(receipt.buyer),
    }
    return render(request, "billing/documents/receipt.html", context)


@member_page(Role.OWNER)
@require_safe
@much_to_make
def purchase_receipt_pdf(
    request: HttpRequest, membership: Membership, number: str
) -> HttpResponse:
    """The receipt on paper, in the reader's language."""
    document = printed_receipt(receipt_of(membership, number))
    return pdf_response(request, document, name=number)
