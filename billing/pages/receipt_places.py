"""Where an event is counted: its month and day, the report of that day, the invoice line
or ledger entry it is part of, and how many others a correction was about. Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import QueryDict
from django.urls import reverse

from accounts.models import Membership, Role
from billing.documents.queries.documents import invoices_of
from billing.documents.queries.usage_behind import events_behind
from billing.models import (
    AdjustmentSource,
    BillingAccount,
    EntryKind,
    Funding,
    InvoiceLine,
    LedgerEntry,
    UsageAdjustment,
    UsageEvent,
)
from billing.reports.queries.groups import Narrowed, group_rows


@dataclass(frozen=True, slots=True)
class Counted:
    """Where an event is counted, as its reader may see it: documents are the owners'
    business, reports the admins'.
    """

    is_closed: bool
    lines: list[InvoiceLine]
    entry: LedgerEntry | None
    report_url: str | None
    day_url: str
    day_nanos: int
    day_events: int


def counted_of(event: UsageEvent, *, payer_id: int, reader: Membership) -> Counted:
    """Everything that has the event in its sum."""
    is_owner = reader.is_at_least(Role.OWNER)
    if payer_id != event.membership_id:
        _as_assigned(event, payer_id)
    accounts = BillingAccount.objects.filter(organization_id=event.organization_id)
    closed_on = accounts.values_list("frozen_through_on", flat=True).first()
    day = Narrowed(membership_id=payer_id)
    [*sums] = group_rows(
        event.organization_id,
        start=event.day_on,
        end=event.day_on.fromordinal(event.day_on.toordinal() + 1),
        keys=[],
        narrowed=day,
    )
    totals = sums[0] if sums else (0,) * 8
    return Counted(
        is_closed=closed_on is not None and event.month_on <= closed_on,
        lines=_lines_with(event) if is_owner else [],
        entry=_entry_with(event) if is_owner else None,
        report_url=_report_url(event, payer_id)
        if reader.is_at_least(Role.ADMIN)
        else None,
        day_url=_day_url(event, payer_id, reader),
        day_nanos=sum(totals[5:]),
        day_events=totals[0],
    )


def _as_assigned(event: UsageEvent, payer_id: int) -> None:
    """Usage of nobody that was assigned counts where it was assigned: make the event's
    month and day, which are only shown, those of that.
    """
    given = event.adjustments.filter(
        membership_id=payer_id, source=AdjustmentSource.ASSIGNED
    )
    found = given.order_by("-pk").values_list("month_on", "day_on").first()
    if found is not None:
        event.month_on, event.day_on = found


def add_same_corrections(event: UsageEvent) -> None:
    """Tell each correction, as `same`, of how many requests of how many people it was."""
    for one in event.adjustments.all():
        if one.source in (AdjustmentSource.PRICE, AdjustmentSource.OPERATOR):
            one.same = _same(one)  # type: ignore[attr-defined]


def _same(adjustment: UsageAdjustment) -> tuple[int, int]:
    found = UsageAdjustment.objects.filter(
        organization_id=adjustment.organization_id,
        month_on=adjustment.month_on,
        created_at=adjustment.created_at,
        reason=adjustment.reason,
    ).aggregate(
        requests=Count("event", distinct=True),
        people=Count("membership", distinct=True),
    )
    return found["requests"], found["people"]


def _lines_with(event: UsageEvent) -> list[InvoiceLine]:
    """The invoice lines that bill it: one a model of its parts."""
    if event.funding != Funding.EXTRA_USAGE or event.prepaid:
        return []
    models = [part.model for part in event.parts.all()] or [event.model]
    lines = InvoiceLine.objects.filter(
        invoice__in=invoices_of(event.organization_id).filter(month_on=event.month_on),
        kind=InvoiceLine.Kind.USAGE,
        membership_id=event.membership_id,
        surface=event.surface,
        model__in=models,
    ).select_related("invoice")
    return [
        line
        for line in lines.order_by("invoice_id", "position")
        if events_behind(line).filter(pk=event.pk).exists()
    ]


def _entry_with(event: UsageEvent) -> LedgerEntry | None:
    """The first charge of its member and day that reaches it."""
    if not event.prepaid:
        return None
    charges = LedgerEntry.objects.filter(
        organization_id=event.organization_id,
        membership_id=event.membership_id,
        day_on=event.day_on,
        kind=EntryKind.CHARGE,
        events_through__gte=event.pk,
    )
    return charges.order_by("pk").first()


def _day(event: UsageEvent, **more: Any) -> str:
    query = QueryDict(mutable=True)
    query["range"] = f"{event.day_on}..{event.day_on}"
    query.update(more)
    return query.urlencode()


def _report_url(event: UsageEvent, payer_id: int) -> str:
    page = reverse("reports", args=[event.organization.slug])
    return f"{page}?{_day(event, person=str(payer_id), paid='all', by='model')}"


def _day_url(event: UsageEvent, payer_id: int, reader: Membership) -> str:
    slug = event.organization.slug
    if payer_id == reader.pk:
        return f"{reverse('own_receipts', args=[slug])}?{_day(event)}"
    return f"{reverse('member_receipts', args=[slug, payer_id])}?{_day(event)}"
