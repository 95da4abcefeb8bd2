"""The billing page: balance, card, purchases and the ledger; the ledger as CSV; what is
behind one entry. Owners only.
"""

from __future__ import annotations

from itertools import chain

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.documents.queries import documents
from billing.documents.queries.months import grace
from billing.documents.rules import closes_at
from billing.ledger import queries as ledger
from billing.ledger.queries import LedgerFilter
from billing.ledger.words import entry_cells, entry_heads, entry_reason, entry_words
from billing.models import BillingAccount, EntryKind, LedgerEntry, Payment
from billing.pages.usage_parts import UsagePage
from billing.payments.parties import buyer_of
from billing.payments.queries.cards import card_of
from config.kit.csv_files import streamed
from config.kit.later import much_to_make
from config.kit.months import month_from_text

RECENT = 10


@member_page(Role.OWNER)
@require_safe
def billing(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Everything about money of one organization."""
    page = UsagePage(membership, timezone.now())
    context = page.balance_part() | documents_part(request, page)
    context["closes_at"] = closes_at(page.standing.month, grace=grace())
    if (
        page.is_prepaid
        or LedgerEntry.objects.filter(organization=page.organization).exists()
    ):
        context |= _ledger_part(request, page) | _payments_part(request, page)
    return render(request, "billing/pages/billing.html", context)


@member_page(Role.OWNER)
@require_safe
def billing_documents(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Invoices, statements and billing details by themselves, for HTMX."""
    page = UsagePage(membership, timezone.now())
    return render(
        request,
        "billing/documents/_documents.html",
        page.shared() | documents_part(request, page),
    )


def documents_part(request: HttpRequest, page: UsagePage) -> dict[str, object]:
    """The newest documents, or all of them, and what the next one says about the buyer."""
    organization, today = page.organization, page.standing.month.day_of(page.now)
    most = None if request.GET.get("documents") == "all" else RECENT
    invoices, statements = (
        documents.invoices_of(organization.pk),
        documents.statements_of(organization.pk),
    )
    return {
        "invoices": [
            (invoice, documents.is_overdue(invoice, today=today))
            for invoice in invoices.prefetch_related("disputes")[:most]
        ],
        "more_invoices": most is not None and invoices.count() > most,
        "statements": statements[:most],
        "more_statements": most is not None and statements.count() > most,
        "buyer": buyer_of(organization),
    }


def _payments_part(request: HttpRequest, page: UsagePage) -> dict[str, object]:
    payments = (
        Payment.objects.filter(organization=page.organization)
        .select_related("created_by", "receipt")
        .order_by("-pk")
    )
    show_all = request.GET.get("payments") == "all"
    return {
        "payments": payments.prefetch_related("refunds", "disputes")[
            : None if show_all else RECENT
        ],
        "more_payments": not show_all and payments.count() > RECENT,
        "card": card_of(page.organization.pk),
    }


def _ledger_part(request: HttpRequest, page: UsagePage) -> dict[str, object]:
    filters = filter_of(request)
    entries = ledger.ledger_page(
        ledger.entries(page.organization.pk, filters), page=request.GET.get("page")
    )
    pending = ledger.pending_nanos(page.organization.pk)
    return {
        "ledger": [(entry, entry_words(entry)) for entry in entries],
        "ledger_page": entries,
        "has_ledger": True,
        "filters": filters,
        "kinds": EntryKind.choices,
        "months": ledger.months_of(page.organization.pk),
        "balance_nanos": _balance_nanos(page.organization.pk),
        "pending_nanos": pending
        if filters == LedgerFilter() and entries.number == 1
        else 0,
        "query": request.GET.urlencode(),
    }


def _balance_nanos(organization_id: int) -> int:
    """What is in the balance, also where usage is billed afterwards by now."""
    account = BillingAccount.objects.filter(pk=organization_id).first()
    return account.balance_nanos if account else 0


def filter_of(request: HttpRequest) -> LedgerFilter:
    """What the address asks for; what it can't mean is passed over."""
    kind = request.GET.get("kind", "")
    return LedgerFilter(
        kind if kind in EntryKind.values else "",
        month_from_text(request.GET.get("month", "")),
    )


@member_page(Role.OWNER)
@require_safe
@much_to_make
def ledger_csv(request: HttpRequest, membership: Membership) -> StreamingHttpResponse:
    """The filtered ledger, oldest first, exact to nine places; a mark lets spreadsheets
    read it as UTF-8.
    """
    organization = membership.organization
    entries = ledger.entries(organization.pk, filter_of(request)).order_by("pk")
    rows = (
        entry_cells(entry, balance_nanos=entry.balance_nanos)
        for entry in entries.iterator(chunk_size=2_000)
    )
    return streamed(chain([entry_heads()], rows), name=f"{organization.slug}-ledger")


@member_page(Role.OWNER)
@require_safe
def ledger_entry(
    request: HttpRequest, membership: Membership, entry_id: int
) -> HttpResponse:
    """One entry with what is behind it: for usage every event, for money its payment or
    refund.
    """
    entries = LedgerEntry.objects.select_related(
        "membership__user", "payment", "refund", "dispute", "actor", "organization"
    )
    if entry_id >= 2**63:
        raise Http404
    entry = get_object_or_404(
        entries, organization=membership.organization, pk=entry_id
    )
    context = {
        "entry": entry,
        "words": entry_words(entry),
        "reason": entry_reason(entry),
        "organization": membership.organization,
        "zone": membership.organization.zone_at(timezone.now()),
        "receipts_query": f"range={entry.day_on}..{entry.day_on}&paid=extra"
        if entry.day_on
        else "",
        "trace": ledger.trace(entry, page=request.GET.get("page"))
        if entry.membership_id
        else None,
    }
    return render(request, "billing/ledger/ledger_entry.html", context)
