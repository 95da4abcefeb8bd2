"""What a frozen month comes to (P2, P3, M5): the lines of its invoice and of its
statement. Only `actions.months` calls it.

The price grows with members and models, not with events: lines are made from counters,
by one statement. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Max, Sum

from accounts.models import Membership, Settlement
from billing.documents.parties import buyer_of, details_of, seller
from billing.documents.queries.documents import billed_adjustments
from billing.documents.rules import (
    Correction,
    Sums,
    add_up,
    corrections,
    tax_nanos,
    whole_cents,
)
from billing.models import (
    BillingMonth,
    EntryKind,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Statement,
    UsageMonth,
)
from config.kit.money import NANOS_PER_CENT
from config.kit.sql import half_even_sql, run

USAGE_LINES = """
INSERT INTO billing_invoiceline (invoice_id, position, kind, membership_id, member_name,
    member_email, surface, model,
                                 events, exact_nanos, amount_nanos, about, reason)
SELECT %s, ROW_NUMBER() OVER (ORDER BY u.name, u.email, c.surface, c.model), 'usage',
    c.membership_id, u.name, u.email,
       c.surface, c.model, c.events, c.extra_nanos, {cents} * {nanos_per_cent}, '', ''
  FROM billing_usagemonth c
  JOIN accounts_membership m ON m.id = c.membership_id
  JOIN accounts_user u ON u.id = m.user_id
 WHERE m.organization_id = %s AND c.month_on = %s AND NOT c.prepaid AND c.extra_nanos <> 0
"""
STATEMENT_LINES = """
INSERT INTO billing_statementline (statement_id, position, membership_id, member_name,
    member_email, charges_nanos,
                                   adjustments_nanos)
SELECT %s, ROW_NUMBER() OVER (ORDER BY u.name, u.email), e.membership_id, u.name, u.email,
    e.charges, e.adjustments
  FROM (SELECT membership_id, SUM(CASE WHEN kind = 'charge' THEN amount_nanos
      ELSE 0 END) AS charges,
               SUM(CASE WHEN kind = 'adjustment' THEN amount_nanos ELSE 0 END) AS adjustments
          FROM billing_ledgerentry
         WHERE organization_id = %s AND month_on = %s AND membership_id IS NOT NULL
             GROUP BY membership_id) e
  JOIN accounts_membership m ON m.id = e.membership_id
  JOIN accounts_user u ON u.id = m.user_id
"""


def draft_invoice(month: BillingMonth) -> Invoice | None:
    """The draft of a month's bill with all its lines; None for a month with nothing to
    bill (P2).
    """
    found = _corrections(month)
    usage = UsageMonth.objects.filter(
        membership__organization=month.organization_id,
        month_on=month.month_on,
        prepaid=False,
    ).exclude(extra_nanos=0)
    if not found and not usage.exists():
        return None
    invoice = Invoice.objects.create(
        organization=month.organization,
        month_on=month.month_on,
        starts_at=month.starts_at,
        ends_at=month.ends_at,
        zone=month.zone,
        exact_nanos=0,
        subtotal_nanos=0,
        total_nanos=0,
    )
    cents = half_even_sql("c.extra_nanos", NANOS_PER_CENT)
    run(
        USAGE_LINES.format(cents=cents, nanos_per_cent=NANOS_PER_CENT),
        [invoice.pk, month.organization_id, month.month_on.isoformat()],
        prepared=False,
    )
    _write_corrections(invoice, found)
    _add_up(invoice)
    return invoice


def _corrections(month: BillingMonth) -> list[Correction]:
    """What was booked this month about events that are billed afterwards, as lines."""
    rows = (
        billed_adjustments(month.organization_id, month.month_on)
        .order_by(
            "membership__user__name",
            "membership__user__email",
            "membership_id",
            "event_id",
            "pk",
        )
        .values_list(
            "membership_id",
            "event__surface",
            "event__model",
            "reason",
            "event__event_id",
            "amount_nanos",
        )
    )
    return corrections(rows.iterator(chunk_size=2_000))


def _write_corrections(invoice: Invoice, found: list[Correction]) -> None:
    members = Membership.objects.select_related("user").in_bulk(
        {one.membership_id for one in found}
    )
    start = (invoice.lines.aggregate(last=Max("position"))["last"] or 0) + 1
    InvoiceLine.objects.bulk_create(
        [
            InvoiceLine(
                invoice=invoice,
                position=position,
                kind=InvoiceLine.Kind.CORRECTION,
                membership_id=one.membership_id,
                member_name=members[one.membership_id].user.name,
                member_email=members[one.membership_id].user.email,
                surface=one.surface,
                model=one.model,
                events=len(one.event_ids),
                exact_nanos=one.exact_nanos,
                amount_nanos=whole_cents(one.exact_nanos),
                about=one.about[:500],
                reason=one.reason,
            )
            for position, one in enumerate(found, start=start)
        ],
        batch_size=1_000,
    )


def _add_up(invoice: Invoice) -> None:
    """The sums, with what the invoice before carried here; the draft takes them over."""
    summed = invoice.lines.aggregate(
        exact=Sum("exact_nanos"), billed=Sum("amount_nanos"), last=Max("position")
    )
    before = Invoice.objects.filter(
        organization_id=invoice.organization_id, month_on__lt=invoice.month_on
    ).first()
    carried = before.handed_on_nanos if before else 0
    sums = add_up(
        exact_nanos=summed["exact"] or 0,
        billed_nanos=summed["billed"] or 0,
        carried_nanos=carried,
    )
    _write_carried(invoice, sums, carried=carried, position=summed["last"] or 0)
    details = details_of(invoice.organization)
    tax = tax_nanos(sums.subtotal_nanos, rate=details.tax_rate)
    Invoice.objects.filter(pk=invoice.pk).update(
        exact_nanos=summed["exact"] or 0,
        carried_in_nanos=carried,
        carried_out_nanos=sums.carried_out_nanos,
        carried_from=before if carried else None,
        subtotal_nanos=sums.subtotal_nanos,
        tax_label=details.tax_label,
        tax_rate=details.tax_rate,
        tax_nanos=tax,
        total_nanos=sums.subtotal_nanos + tax,
    )


def _write_carried(
    invoice: Invoice, sums: Sums, *, carried: int, position: int
) -> None:
    lines = []
    if carried:
        lines.append(
            InvoiceLine(
                invoice=invoice,
                position=position + 1,
                kind=InvoiceLine.Kind.CARRIED_IN,
                exact_nanos=carried,
                amount_nanos=sums.carried_in_nanos,
            )
        )
    if sums.surplus_nanos:
        lines.append(
            InvoiceLine(
                invoice=invoice,
                position=position + 2,
                kind=InvoiceLine.Kind.CARRIED_OUT,
                exact_nanos=0,
                amount_nanos=sums.surplus_nanos,
            )
        )
    InvoiceLine.objects.bulk_create(lines)


SUM_OF = {
    EntryKind.PURCHASE: "purchases_nanos",
    EntryKind.RELOAD: "reloads_nanos",
    EntryKind.CHARGE: "charges_nanos",
    EntryKind.REFUND: "refunds_nanos",
    EntryKind.CREDIT: "credits_nanos",
    EntryKind.ADJUSTMENT: "adjustments_nanos",
}


def draft_statement(month: BillingMonth, *, now: dt.datetime) -> Statement | None:
    """The month of a balance; None where there is neither a balance nor a movement, or
    it never was prepaid.
    """
    mine = LedgerEntry.objects.filter(organization_id=month.organization_id)
    opening = (
        mine.filter(month_on__lt=month.month_on).aggregate(sum=Sum("amount_nanos"))[
            "sum"
        ]
        or 0
    )
    moved = (
        mine.filter(month_on=month.month_on)
        .order_by()
        .values("kind")
        .annotate(sum=Sum("amount_nanos"))
    )
    sums = {SUM_OF[EntryKind(row["kind"])]: row["sum"] for row in moved}
    is_prepaid = month.organization.settlement == Settlement.PREPAID
    if not sums and not (is_prepaid and opening):
        return None
    statement = Statement.objects.create(
        organization=month.organization,
        month_on=month.month_on,
        starts_at=month.starts_at,
        ends_at=month.ends_at,
        zone=month.zone,
        opening_nanos=opening,
        closing_nanos=opening + sum(sums.values()),
        issued_at=now,
        seller=seller(),
        buyer=buyer_of(month.organization),
        **sums,
    )
    run(
        STATEMENT_LINES,
        [statement.pk, month.organization_id, month.month_on.isoformat()],
        prepared=False,
    )
    return statement
