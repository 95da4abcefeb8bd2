"""One receipt: the proof that included usage went first, what it cost and by which rates,
where it is counted, and the receipts beside it. Reads only.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.caps.queries.at_moment import cap_before
from billing.metering.queries.unattributed import payers_of
from billing.metering.queries.windows_before import (
    WindowBefore,
    last_included_before,
    windows_before,
)
from billing.metering.receipts import receipt_of
from billing.models import Funding, UsageEvent, model_label
from billing.pages.receipt_places import add_same_corrections, counted_of
from billing.pages.receipt_proof import bars_of, proof_of
from billing.pages.receipts import filter_of, name_of, page_address, person_of
from billing.reports.queries.own import events_of, organization_receipts
from billing.reports.queries.receipts import neighbours


@member_page()
@require_safe
def own_receipt(
    request: HttpRequest, membership: Membership, event_pk: int
) -> HttpResponse:
    """One event with everything behind its cost, of the reader or assigned to them.
    Admins may open those of every member; keys are the owners' business.
    """
    event = _event(membership, event_pk)
    is_own = event is not None and payers_of([event])[event.pk] == membership.pk
    if event is None or not (is_own or membership.is_at_least(Role.ADMIN)):
        raise Http404
    context = _context(event, membership)
    if is_own:
        context |= _beside(request, event, membership, is_own=True)
    return render(request, "billing/metering/receipt.html", context)


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def member_receipt(
    request: HttpRequest, membership: Membership, membership_id: int, event_pk: int
) -> HttpResponse:
    """One event of the list of a person."""
    person = person_of(membership, membership_id)
    events = organization_receipts(membership.organization_id)
    if event_pk >= 2**63:
        raise Http404
    event = get_object_or_404(events.filter(events_of(person.pk)), pk=event_pk)
    context = _context(event, membership)
    context |= _beside(request, event, person, is_own=False)
    return render(request, "billing/metering/receipt.html", context)


def _event(membership: Membership, event_pk: int) -> UsageEvent | None:
    if event_pk >= 2**63:
        return None
    events = organization_receipts(membership.organization_id)
    return events.filter(pk=event_pk).first()


def _beside(
    request: HttpRequest, event: UsageEvent, person: Membership, *, is_own: bool
) -> dict[str, Any]:
    """The list it was opened from, and the receipts before and after it there."""
    chosen = filter_of(request, person)
    older, newer = neighbours(chosen.asked, event)
    of = None if is_own else person
    slug = person.organization.slug
    end = f"?{chosen.query}" if chosen.query else ""
    return {
        "list_of": of,
        "list_name": name_of(person),
        "list_url": f"{page_address('receipts', slug, of)}{end}",
        "older_url": older and f"{page_address('receipt', slug, of, older)}{end}",
        "newer_url": newer and f"{page_address('receipt', slug, of, newer)}{end}",
    }


def _context(event: UsageEvent, reader: Membership) -> dict[str, Any]:
    zone = event.organization.zone_at(timezone.now())
    payer_id = payers_of([event])[event.pk]
    windows = windows_before(event)
    is_admin = reader.is_at_least(Role.ADMIN)
    if is_admin:
        add_same_corrections(event)
    return {
        "receipt": receipt_of(event),
        "organization": reader.organization,
        "person": event.membership.user,
        "model_name": model_label(event.model),
        "reporting_key": event.api_key if reader.is_at_least(Role.OWNER) else None,
        "zone": zone,
        "proof": proof_of(event, windows, zone=zone),
        "bars": bars_of(event, windows, zone=zone),
        "last_included": _last(event, windows),
        "cap": _cap(event) if payer_id == event.membership_id else None,
        "counted": counted_of(event, payer_id=payer_id, reader=reader),
        "is_admin": is_admin,
    }


def _last(event: UsageEvent, windows: list[WindowBefore]) -> UsageEvent | None:
    """The last included request before it, where included usage had been used up."""
    if event.funding == Funding.INCLUDED or not any(one.is_used_up for one in windows):
        return None
    return last_included_before(event, windows)


def _cap(event: UsageEvent) -> Any:
    return cap_before(event) if event.funding == Funding.EXTRA_USAGE else None
