"""What closing a month would issue, read without closing it: the same figures that
`drafting` writes, from the same counters. Nothing is written or locked. Amounts are
nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Sum

from accounts.models import Organization, Settlement
from billing.documents.actions.drafting import billed_usage, corrections_of, previous_to
from billing.documents.rules import add_up, tax_nanos, whole_cents
from billing.models import (
    BillingMonth,
    Invoice,
    LedgerEntry,
    PendingCharge,
    Series,
)
from billing.payments.actions.numbering import next_number
from billing.payments.parties import details_of
from config.kit.months import next_month


@dataclass(frozen=True, slots=True)
class ComingInvoice:
    """The bill that a close would issue."""

    number: str
    subtotal_nanos: int
    tax_nanos: int
    lines: int

    @property
    def total_nanos(self) -> int:
        """With tax."""
        return self.subtotal_nanos + self.tax_nanos


@dataclass(frozen=True, slots=True)
class ComingStatement:
    """The statement that a close would issue."""

    opening_nanos: int
    closing_nanos: int


@dataclass(frozen=True, slots=True)
class ComingDocuments:
    """What a close would issue, and how many mails tell of each."""

    invoice: ComingInvoice | None
    statement: ComingStatement | None
    mails: int


def coming_documents(
    organization: Organization, *, month_on: dt.date
) -> ComingDocuments:
    """What closing this month now would issue."""
    month = BillingMonth(organization=organization, month_on=month_on)
    return ComingDocuments(
        _invoice(month), _statement(month), mails_of_a_document(organization)
    )


def mails_of_a_document(organization: Organization) -> int:
    """One to each owner, and one to the billing address where that is none of theirs."""
    addresses = {
        owner.user.email.lower() for owner in organization.memberships.owners_to_mail()
    }
    return len(addresses | {organization.billing_email.lower()})


def _invoice(month: BillingMonth) -> ComingInvoice | None:
    _sequence, number = next_number(month.organization, Series.INVOICE)
    draft = Invoice.objects.filter(
        organization=month.organization,
        month_on=month.month_on,
        status=Invoice.Status.DRAFT,
    ).first()
    if draft is not None:  # somebody began to close it
        return ComingInvoice(
            number, draft.subtotal_nanos, draft.tax_nanos, draft.lines.count()
        )
    return _added_up(month, number)


def _added_up(month: BillingMonth, number: str) -> ComingInvoice | None:
    corrected = corrections_of(month)
    used = list(_billed(month))
    if not corrected and not used:
        return None
    exact = [*used, *(correction.exact_nanos for correction in corrected)]
    previous = previous_to(
        Invoice(organization=month.organization, month_on=month.month_on)
    )
    sums = add_up(
        exact_nanos=sum(exact),
        billed_nanos=sum(map(whole_cents, exact)),
        carried_nanos=previous.handed_on_nanos if previous else 0,
    )
    details = details_of(month.organization)
    return ComingInvoice(
        number,
        sums.subtotal_nanos,
        tax_nanos(sums.subtotal_nanos, rate=details.tax_rate),
        len(exact) + bool(sums.carried_nanos) + bool(sums.surplus_nanos),
    )


def _billed(month: BillingMonth) -> list[int]:
    rows: list[int] = list(billed_usage(month).values_list("extra_nanos", flat=True))
    return rows


def _statement(month: BillingMonth) -> ComingStatement | None:
    """With what is pending of the month, which a close books first."""
    organization = month.organization
    entries = LedgerEntry.objects.filter(organization=organization)
    of_month = entries.filter(month_on=month.month_on)
    pending = PendingCharge.objects.filter(
        organization=organization, day_on__lt=next_month(month.month_on)
    ).exclude(amount_nanos=0)
    earlier = pending.filter(day_on__lt=month.month_on)
    opening = _sum(entries.filter(month_on__lt=month.month_on)) - _sum(earlier)
    is_prepaid = organization.settlement == Settlement.PREPAID
    own = pending.filter(day_on__gte=month.month_on)
    if not of_month.exists() and not own.exists() and not (is_prepaid and opening):
        return None
    return ComingStatement(opening, opening + _sum(of_month) - _sum(own))


def _sum(rows: QuerySet[Any]) -> int:
    return rows.aggregate(sum=Sum("amount_nanos"))["sum"] or 0
