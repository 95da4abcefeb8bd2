"""Taking back a close that came too early (P2): its invoice is void, its statement
counts no more, and the month takes usage again until it closes anew.

Only while the month is not over by the database's clock: afterwards nothing more would
come into it, and corrections are credit notes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization, User
from billing.documents.actions.settling import settle_invoice
from billing.documents.queries.months import grace
from billing.documents.rules import closes_at
from billing.ledger.actions import latest_id
from billing.models import (
    BillingAccount,
    BillingMonth,
    Invoice,
    MonthReopening,
    Statement,
    UsageAdjustment,
    UsageEvent,
)
from config.kit.dates import month_text, zoned_moment_text
from config.kit.errors import BusinessError
from config.kit.months import previous_month


@dataclass(frozen=True, slots=True)
class EarlyClose:
    """A close that may be taken back, and the documents that go with it."""

    month: BillingMonth
    invoice: Invoice | None
    statement: Statement | None


def early_close(
    organization: Organization, *, month_on: dt.date, now: dt.datetime
) -> EarlyClose:
    """The close of a month, if it may be taken back at `now`, the database's.

    Raises BusinessError `month_not_closed`, `month_unfinished`, `later_month_closed`,
    `month_is_over`, `invoice_paid`, `invoice_credited`.
    """
    month = _closed_month(organization, month_on)
    calendar_month = organization.calendar.month(month_on)
    due = closes_at(calendar_month, grace=grace())
    if now >= due:
        raise BusinessError(
            _(
                "%(month)s is over, and its grace period ended: %(due)s. Nothing more "
                "would come into it. Correct its invoice with a credit note."
            )
            % {
                "month": month_text(month_on),
                "due": zoned_moment_text(due, zone=calendar_month.zone),
            },
            code="month_is_over",
        )
    written = {
        "organization": organization,
        "month_on": month_on,
        "edition": month.edition,
    }
    invoice = Invoice.objects.filter(**written).first()
    if invoice:
        _refuse_settled(invoice)
    return EarlyClose(month, invoice, Statement.objects.filter(**written).first())


def _closed_month(organization: Organization, month_on: dt.date) -> BillingMonth:
    months = BillingMonth.objects.filter(organization=organization)
    month = months.filter(month_on=month_on).first()
    if month is None:
        raise BusinessError(
            _("%(month)s of %(organization)s is not closed, so nothing was changed.")
            % {"month": f"{month_on:%Y-%m}", "organization": organization.name},
            code="month_not_closed",
        )
    if month.state != BillingMonth.State.CLOSED:
        raise BusinessError(
            _("%(month)s is just being closed. Let close_month finish it first.")
            % {"month": f"{month}"},
            code="month_unfinished",
        )
    latest = months.latest("month_on")
    if latest != month:
        raise BusinessError(
            _("Months are opened again in reverse order, and %(latest)s comes first.")
            % {"latest": f"{latest}"},
            code="later_month_closed",
        )
    return month


def _refuse_settled(invoice: Invoice) -> None:
    if invoice.status == Invoice.Status.PAID and invoice.total_nanos:
        raise BusinessError(
            _(
                "%(number)s was paid, so its month stays closed; what was used since "
                "counts to the next month."
            )
            % {"number": invoice.number},
            code="invoice_paid",
        )
    if invoice.credit_notes.exists():
        raise BusinessError(
            _("%(number)s has a credit note, so its month stays closed.")
            % {"number": invoice.number},
            code="invoice_credited",
        )


@transaction.atomic
def reopen_month(
    organization_id: int,
    *,
    month_on: dt.date,
    reason: str,
    command: str,
    operator: User | None = None,
    now: dt.datetime,
) -> MonthReopening:
    """Take back the close of a month: void what it billed and let usage in again.

    `command` is the name of the operator's command or page; the audit has the `operator`
    where it is known. `now` is the database's clock. Raises what `early_close` raises,
    and BusinessError `reason_missing`.
    """
    # Races the recorder and everything that books: whoever comes after finds it open.
    locked = lock_organization(organization_id)
    close = early_close(locked, month_on=month_on, now=now)
    reason = check_reason(reason)
    if close.invoice and close.invoice.status != Invoice.Status.VOID:
        settle_invoice(
            locked,
            close.invoice,
            Invoice.Status.VOID,
            note=reason,
            operator=operator,
            command="" if operator else command,
            now=now,
        )
    reopening = _open_again(locked, close.month, reason=reason, by=command, now=now)
    record_change(
        locked,
        actor=Actor(operator, "" if operator else command, reason),
        action="invoice.month",
        subject=f"{close.month}: {reason}",
        now=now,
        from_value="closed",
        to_value="open",
    )
    return reopening


def _open_again(
    locked: Organization,
    month: BillingMonth,
    *,
    reason: str,
    by: str,
    now: dt.datetime,
) -> MonthReopening:
    """In the only order that the guards let through: the row that allows it first."""
    assert month.closed_at is not None
    reopening = MonthReopening.objects.create(
        organization=locked,
        month_on=month.month_on,
        edition=month.edition,
        closed_through_on=previous_month(month.month_on),
        frozen_at=month.frozen_at,
        closed_at=month.closed_at,
        reopened_at=now,
        reopened_by=by,
        reason=reason,
        events_through=latest_id(UsageEvent),
        adjustments_through=latest_id(UsageAdjustment),
    )
    BillingAccount.objects.filter(organization=locked).update(
        frozen_through_on=reopening.closed_through_on
    )
    month.delete()
    return reopening
