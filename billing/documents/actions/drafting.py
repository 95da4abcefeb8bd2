"""What a frozen month comes to (P2, P3, M5): its invoice and its statement with their lines.

Only `actions.months` calls it, inside its transaction. The price grows with members and
models, not with events: lines are made from counters, by one statement. Amounts are
nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Max, QuerySet, Sum

from accounts.models import Membership, Settlement, User
from billing.documents.queries.usage_behind import PRICED_MODEL, billed_adjustments
from billing.documents.rules import (
    Correction,
    InvoiceSums,
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
from billing.payments.parties import buyer_of, details_of, seller
from config.kit.money import NANOS_PER_CENT
from config.kit.sql import half_even_sql, run

USAGE_LINES = """
INSERT INTO billing_invoiceline (
       invoice_id, position, kind,
       membership_id, member_name, member_email,
       surface, model, events,
       exact_nanos, amount_nanos,
       about, reason)
SELECT %s, ROW_NUMBER() OVER (ORDER BY u.name, u.email, c.surface, c.model), 'usage',
       c.membership_id, u.name, u.email,
       c.surface, c.model, c.events,
       c.extra_nanos, {cents} * {nanos_per_cent},
       '', ''
  FROM billing_usagemonth c
  JOIN accounts_membership m ON m.id = c.membership_id
  JOIN accounts_user u ON u.id = m.user_id
 WHERE m.organization_id = %s
   AND c.month_on = %s
   AND NOT c.prepaid
   AND c.extra_nanos <> 0
"""
STATEMENT_LINES = """
INSERT INTO billing_statementline (
       statement_id, position,
       membership_id, member_name, member_email,
       charges_nanos, adjustments_nanos)
SELECT %s, ROW_NUMBER() OVER (ORDER BY u.name, u.email),
       e.membership_id, u.name, u.email,
       e.charges, e.adjustments
  FROM (SELECT membership_id,
               SUM(CASE WHEN kind = 'charge' THEN amount_nanos ELSE 0 END) AS charges,
               SUM(CASE WHEN kind = 'adjustment' THEN amount_nanos ELSE 0 END) AS adjustments
          FROM billing_ledgerentry
         WHERE organization_id = %s
           AND month_on = %s
           AND membership_id IS NOT NULL
         GROUP BY membership_id) e
  JOIN accounts_membership m ON m.id = e.membership_id
  JOIN accounts_user u ON u.id = m.user_id
"""
COLUMN_OF_KIND = {
    EntryKind.PURCHASE: "purchases_nanos",
    EntryKind.RELOAD: "reloads_nanos",
    EntryKind.CHARGE: "charges_nanos",
    EntryKind.REFUND: "refunds_nanos",
    EntryKind.DISPUTE: "disputes_nanos",
    EntryKind.CREDIT: "credits_nanos",
    EntryKind.ADJUSTMENT: "adjustments_nanos",
}


def draft_invoice(month: BillingMonth) -> Invoice | None:
    """The draft of a month's bill with all its lines; None with nothing to bill (P2)."""
    corrected = corrections_of(month)
    if not corrected and not billed_usage(month).exists():
        return None
    invoice = Invoice.objects.create(
        organization=month.organization,
        month_on=month.month_on,
        edition=month.edition,
        starts_at=month.starts_at,
        ends_at=month.ends_at,
        zone=month.zone,
        exact_nanos=0,
        subtotal_nanos=0,
        total_nanos=0,
    )
    _write_usage_lines(invoice, month)
    _write_correction_lines(invoice, corrected)
    _write_sums(invoice)
    return invoice


def billed_usage(month: BillingMonth) -> QuerySet[UsageMonth]:
    """Extra usage of a month that is billed after it: a line each."""
    return UsageMonth.objects.filter(
        membership__organization=month.organization_id,
        month_on=month.month_on,
        prepaid=False,
    ).exclude(extra_nanos=0)


def _write_usage_lines(invoice: Invoice, month: BillingMonth) -> None:
    cents = half_even_sql("c.extra_nanos", NANOS_PER_CENT)
    run(
        USAGE_LINES.format(cents=cents, nanos_per_cent=NANOS_PER_CENT),
        [invoice.pk, month.organization_id, month.month_on.isoformat()],
        prepared=False,
    )


def corrections_of(month: BillingMonth) -> list[Correction]:
    """What was booked this month about events that are billed afterwards, as lines."""
    adjustments = billed_adjustments(month.organization_id, month.month_on)
    in_order = adjustments.order_by(
        "membership__user__name",
        "membership__user__email",
        "membership_id",
        "event_id",
        "pk",
    )
    rows = in_order.values_list(
        "membership_id",
        "event__surface",
        PRICED_MODEL,
        "reason",
        "event__event_id",
        "amount_nanos",
    )
    return corrections(rows.iterator(chunk_size=2_000))


def _write_correction_lines(invoice: Invoice, corrected: list[Correction]) -> None:
    members = Membership.with_nobody.select_related("user").in_bulk(
        {correction.membership_id for correction in corrected}
    )
    start = (invoice.lines.aggregate(last=Max("position"))["last"] or 0) + 1
    lines = [
        _correction_line(
            invoice,
            correction,
            position=position,
            user=members[correction.membership_id].user,
        )
        for position, correction in enumerate(corrected, start=start)
    ]
    InvoiceLine.objects.bulk_create(lines, batch_size=1_000)


def _correction_line(
    invoice: Invoice, correction: Correction, *, position: int, user: User
) -> InvoiceLine:
    return InvoiceLine(
        invoice=invoice,
        position=position,
        kind=InvoiceLine.Kind.CORRECTION,
        membership_id=correction.membership_id,
        member_name=user.name,
        member_email=user.email,
        surface=correction.surface,
        model=correction.model,
        events=len(correction.event_ids),
        exact_nanos=correction.exact_nanos,
        amount_nanos=whole_cents(correction.exact_nanos),
        about=correction.about[:500],
        reason=correction.reason,
    )


def _write_sums(invoice: Invoice) -> None:
    """Add the lines up, take over what the invoice before carried here, and tax it."""
    lines = invoice.lines.aggregate(
        exact=Sum("exact_nanos"), billed=Sum("amount_nanos"), last=Max("position")
    )
    previous = previous_to(invoice)
    sums = add_up(
        exact_nanos=lines["exact"] or 0,
        billed_nanos=lines["billed"] or 0,
        carried_nanos=previous.handed_on_nanos if previous else 0,
    )
    InvoiceLine.objects.bulk_create(
        _carried_lines(invoice, sums, position=lines["last"] or 0)
    )
    details = details_of(invoice.organization)
    tax = tax_nanos(sums.subtotal_nanos, rate=details.tax_rate)
    Invoice.objects.filter(pk=invoice.pk).update(
        exact_nanos=sums.exact_nanos,
        carried_in_nanos=sums.carried_nanos,
        carried_out_nanos=sums.carried_out_nanos,
        carried_from=previous if sums.carried_nanos else None,
        subtotal_nanos=sums.subtotal_nanos,
        tax_label=details.tax_label,
        tax_rate=details.tax_rate,
        tax_nanos=tax,
        total_nanos=sums.subtotal_nanos + tax,
    )


def previous_to(invoice: Invoice) -> Invoice | None:
    """The latest of all others; of this month where its close was taken back, which
    hands on what it took over.
    """
    earlier = Invoice.objects.filter(
        organization_id=invoice.organization_id, month_on__lte=invoice.month_on
    )
    return earlier.exclude(pk=invoice.pk).first()


def _carried_lines(
    invoice: Invoice, sums: InvoiceSums, *, position: int
) -> Iterator[InvoiceLine]:
    """The lines after `position` that say what came here and what goes on, if any."""
    if sums.carried_nanos:
        yield InvoiceLine(
            invoice=invoice,
            position=position + 1,
            kind=InvoiceLine.Kind.CARRIED_IN,
            exact_nanos=sums.carried_nanos,
            amount_nanos=sums.carried_in_nanos,
        )
    if sums.surplus_nanos:
        yield InvoiceLine(
            invoice=invoice,
            position=position + 2,
            kind=InvoiceLine.Kind.CARRIED_OUT,
            exact_nanos=0,
            amount_nanos=sums.surplus_nanos,
        )


def draft_statement(month: BillingMonth, *, now: dt.datetime) -> Statement | None:
    """The month of a balance, with a line for each member whose usage moved it.

    None where nothing moved and there is no balance, or none that is prepaid now.
    """
    opening = _opening_nanos(month)
    sums = _sums_by_column(month)
    is_prepaid = month.organization.settlement == Settlement.PREPAID
    if not sums and not (is_prepaid and opening):
        return None
    statement = Statement.objects.create(
        organization=month.organization,
        month_on=month.month_on,
        edition=month.edition,
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


def _opening_nanos(month: BillingMonth) -> int:
    earlier = LedgerEntry.objects.filter(
        organization_id=month.organization_id, month_on__lt=month.month_on
    )
    return earlier.aggregate(sum=Sum("amount_nanos"))["sum"] or 0


def _sums_by_column(month: BillingMonth) -> dict[str, int]:
    """What each kind of entry came to in the month, by the statement's column for it."""
    entries = LedgerEntry.objects.filter(
        organization_id=month.organization_id, month_on=month.month_on
    )
    kinds = entries.order_by().values("kind").annotate(sum=Sum("amount_nanos"))
    return {COLUMN_OF_KIND[EntryKind(row["kind"])]: row["sum"] for row in kinds}
