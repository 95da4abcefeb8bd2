"""How a month that is over stands: closed or not, and by which document. Read-only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from accounts.models import Organization
from billing.documents.queries.documents import invoices_of, statements_of
from billing.models import BillingAccount, BillingMonth, Invoice, Statement


@dataclass(frozen=True, slots=True)
class MonthState:
    """Whether a month is closed, when its figures were frozen, and its documents; None
    where there is none.
    """

    is_closed: bool
    frozen_at: dt.datetime | None
    invoice: Invoice | None
    statement: Statement | None


def month_state(organization: Organization, *, month_on: dt.date) -> MonthState:
    """The state of one month; of several invoices the one of the latest close."""
    accounts = BillingAccount.objects.filter(organization=organization)
    through_on = accounts.values_list("frozen_through_on", flat=True).first()
    row = BillingMonth.objects.filter(
        organization=organization, month_on=month_on
    ).first()
    invoices = invoices_of(organization.pk).filter(month_on=month_on)
    return MonthState(
        through_on is not None and month_on <= through_on,
        row.frozen_at if row else None,
        invoices.order_by("-edition").first(),
        statements_of(organization.pk).filter(month_on=month_on).first(),
    )
