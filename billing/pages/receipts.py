"""Receipts of one person: all of them or those that make a figure, as a list and
as CSV; one's own, and for admins anybody's. Reads only.
"""

from __future__ import annotations

from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Organization, Role
from billing.metering.receipts import receipt_of
from billing.models import model_label, surface_label
from billing.pages.receipts_csv import receipts_csv
from billing.reports.filters import ReceiptsFilter, receipts_filter
from billing.reports.queries.receipts import (
    FUNDED,
    counted_nanos,
    models_and_surfaces,
    receipts_asked_page,
    sum_asked,
)
from billing.reports.queries.report import PERSON
from billing.reports.rules.grouping import label_text
from billing.reports.words.report import paid_text, range_text, value_text
from config.kit.later import much_to_make
from config.kit.months import local_day


@member_page()
@require_safe
def own_receipts(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The reader's receipts."""
    return _list(request, membership, is_own=True)


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def member_receipts(
    request: HttpRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """The receipts of anybody in the organization, also of who has left."""
    return _list(request, person_of(membership, membership_id), is_own=False)


@member_page()
@require_safe
@much_to_make
def own_receipts_csv(
    request: HttpRequest, membership: Membership
) -> StreamingHttpResponse:
    """The reader's receipts of the same filter, streamed."""
    return receipts_csv(filter_of(request, membership).asked, membership.organization)


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
@much_to_make
def member_receipts_csv(
    request: HttpRequest, membership: Membership, membership_id: int
) -> StreamingHttpResponse:
    """The same of anybody."""
    person = person_of(membership, membership_id)
    return receipts_csv(filter_of(request, person).asked, membership.organization)


def person_of(membership: Membership, membership_id: int) -> Membership:
    """Somebody of the reader's organization, the line of unattributed usage too. Raises
    Http404.
    """
    people = Membership.with_nobody.select_related("user", "organization")
    return get_object_or_404(
        people, organization_id=membership.organization_id, pk=membership_id
    )


def name_of(person: Membership) -> str:
    """Whose receipts they are, as reports name them."""
    return value_text(PERSON, person.pk, {person.pk: person})


def filter_of(request: HttpRequest, person: Membership) -> ReceiptsFilter:
    """What the address asks for of a person's receipts."""
    today = local_day(timezone.now(), person.organization.zone_at(timezone.now()))
    return receipts_filter(request.GET, membership_id=person.pk, today=today)


def _list(request: HttpRequest, person: Membership, *, is_own: bool) -> HttpResponse:
    chosen = filter_of(request, person)
    page = receipts_asked_page(chosen.asked, page=request.GET.get("page"))
    counted = counted_nanos(chosen.asked, list(page))
    models, surfaces = models_and_surfaces(person.pk)
    organization = person.organization
    span, label = chosen.asked.span, chosen.asked.narrowed.label
    context: dict[str, Any] = {
        "organization": organization,
        "person": None if is_own else person,
        "person_name": name_of(person),
        "zone": organization.zone_at(timezone.now()),
        "chosen": chosen,
        "query": chosen.query,
        "range_text": range_text(span) if span else "",
        "label_value": label_text(*label) if label else "",
        "kept": [
            (name, request.GET[name]) for name in ("seat",) if name in request.GET
        ],
        "csv_url": page_address(
            "receipts_csv", organization.slug, None if is_own else person
        ),
        "report_url": None if is_own else _report_url(chosen, organization),
        "page": page,
        "rows": [(receipt_of(event), counted[event.pk]) for event in page],
        "total_nanos": sum_asked(chosen.asked),
        "payers": [(value, paid_text(value)) for value in FUNDED],
        "models": [(name, model_label(name)) for name in models],
        "surfaces": [(name, surface_label(name)) for name in surfaces],
    }
    return render(request, "billing/pages/receipts.html", context)


def page_address(name: str, slug: str, person: Membership | None, *more: int) -> str:
    """The address of a page of receipts: one's own, or a person's."""
    if person is None:
        return reverse(f"own_{name}", args=[slug, *more])
    return reverse(f"member_{name}", args=[slug, person.pk, *more])


def _report_url(chosen: ReceiptsFilter, organization: Organization) -> str | None:
    """The report that says the same sum; None where the list is of all days."""
    if chosen.asked.span is None:
        return None
    query = QueryDict(chosen.query, mutable=True)
    query["person"] = str(chosen.asked.narrowed.membership_id)
    query["paid"] = chosen.asked.paid
    return f"{reverse('reports', args=[organization.slug])}?{query.urlencode()}"
