"""Closing a month (P2): freeze, draft, finish.

Each step is one short transaction and can be taken up by anybody.

Freezing and finishing hold the organization's lock; drafting, which reads and writes
the many lines, holds only the month's row, so that recording goes on meanwhile: nothing
can reach a frozen month any more.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.documents.actions.drafting import draft_invoice, draft_statement
from billing.documents.actions.issuing import issue_invoice, tell_of_statement
from billing.documents.queries.months import first_open_month, grace
from billing.documents.rules import closes_at
from billing.ledger.actions import account_of, roll_up
from billing.models import BillingAccount, BillingMonth, Invoice, Statement
from config.kit.dates import month_text
from config.kit.errors import BusinessError
from config.kit.months import next_month


@dataclass(frozen=True, slots=True)
class Closed:
    """A month closed to its end, what was made of it, and the mails that are due."""

    month: BillingMonth
    invoice: Invoice | None = None
    statement: Statement | None = None
    mails: list[int] = field(default_factory=list)


def check_may_close(
    organization: Organization, *, month_on: dt.date, now: dt.datetime
) -> None:
    """Raises BusinessError `month_not_over` before the grace time has passed,
    `earlier_month_open` out of order.
    """
    month = organization.calendar.month(month_on)
    due = closes_at(month, grace=grace())
    if now < due:
        words = {
            "month": month_text(month_on),
            "due": due.strftime("%Y-%m-%d %H:%M UTC"),
            "zone": month.zone,
        }
        raise BusinessError(
            _(
                "%(month)s is still open: it ends in the %(zone)s time zone and "
                "closes at %(due)s, after the grace period."
            )
            % words,
            code="month_not_over",
        )
    first = first_open_month(organization)
    if month_on != first:
        raise BusinessError(
            _(
                "Months close in order, and the next one for %(organization)s is %(first)s."
            )
            % {"organization": organization.name, "first": f"{first:%Y-%m}"},
            code="earlier_month_open",
        )


@transaction.atomic
def freeze_month(
    organization_id: int, *, month_on: dt.date, now: dt.datetime
) -> BillingMonth:
    """Let nothing more into a month: from now on late events go to the open one, and
    the database holds to it.

    Usage that had not entered the ledger yet enters it first. A month frozen before is
    answered as it is. Raises what `check_may_close` raises, and BusinessError
    `month_unfinished` while the month before is half-closed.
    """
    locked = lock_organization(organization_id)
    known = BillingMonth.objects.filter(organization=locked, month_on=month_on).first()
    if known is not None:
        return known
    check_may_close(locked, month_on=month_on, now=now)
    if BillingMonth.objects.unfinished().filter(organization=locked).exists():
        raise BusinessError(
            _("The previous month hasn't finished closing yet."),
            code="month_unfinished",
        )
    month = locked.calendar.month(month_on)
    account = account_of(locked)
    roll_up(locked, now=now, before=next_month(month_on))
    BillingAccount.objects.filter(pk=account.pk).update(frozen_through_on=month_on)
    return BillingMonth.objects.create(
        organization=locked,
        month_on=month_on,
        starts_at=month.start,
        ends_at=month.end,
        zone=month.zone,
        frozen_at=now,
    )


@transaction.atomic
def draft_month(month_id: int, *, now: dt.datetime) -> None:
    """Write what a frozen month comes to: the invoice's lines, the statement's.

    Nothing when somebody else did.
    """
    month = (
        BillingMonth.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization")
        .get(pk=month_id)
    )
    if month.state != BillingMonth.State.FROZEN:
        return
    draft_invoice(month)
    draft_statement(month, now=now)
    month.state = BillingMonth.State.DRAFTED
    month.save(update_fields=["state"])


@transaction.atomic
def finish_month(month_id: int, *, now: dt.datetime) -> Closed:
    """Number and issue what was drafted, and queue its mails; the month is closed.

    Nothing when somebody else did.
    """
    locked = lock_organization(
        BillingMonth.objects.values_list("organization_id", flat=True).get(pk=month_id)
    )
    month = BillingMonth.objects.select_for_update(no_key=True).get(pk=month_id)
    if month.state != BillingMonth.State.DRAFTED:
        return Closed(month)
    invoice = Invoice.objects.filter(
        organization=locked, month_on=month.month_on
    ).first()
    statement = Statement.objects.filter(
        organization=locked, month_on=month.month_on
    ).first()
    mails = issue_invoice(locked, invoice, now=now) if invoice else []
    if statement:
        mails += tell_of_statement(locked, statement, now=now)
    month.state, month.closed_at = BillingMonth.State.CLOSED, now
    month.save(update_fields=["state", "closed_at"])
    return Closed(month, invoice, statement, mails)
