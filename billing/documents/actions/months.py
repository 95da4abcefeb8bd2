"""Closing a month (P2): freeze, draft, finish.

Each step is one short transaction that anybody can take up. Freezing and finishing hold
the organization's lock. Drafting, which reads and writes the many lines, holds only the
month's row, so that recording goes on meanwhile: nothing can reach a frozen month any
more.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.documents.actions.drafting import draft_invoice, draft_statement
from billing.documents.actions.issuing import issue_invoice, queue_statement_mails
from billing.documents.queries.months import first_open_month, grace
from billing.documents.rules import closes_at
from billing.ledger.actions import account_of, roll_up
from billing.models import (
    BillingAccount,
    BillingMonth,
    EventType,
    Invoice,
    MonthReopening,
    Statement,
)
from billing.notices.actions.publishing import publish
from config.kit.dates import month_text, zoned_moment_text
from config.kit.errors import BusinessError
from config.kit.months import Month, next_month


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A month after its last step: what was issued now, and the ids of mails now due.

    Both documents are None where somebody else had issued them before.
    """

    month: BillingMonth
    invoice: Invoice | None = None
    statement: Statement | None = None
    mails: list[int] = field(default_factory=list)


def check_may_close(
    organization: Organization, *, month_on: dt.date, now: dt.datetime
) -> None:
    """Pass if the month is the next to close and its grace time is over at `now`.

    Raises BusinessError `month_not_over` before that, `earlier_month_open` out of order.
    """
    _refuse_before_grace_is_over(organization.calendar.month(month_on), now=now)
    next_on = first_open_month(organization)
    if month_on != next_on:
        raise BusinessError(
            _(
                "Months close in order, and the next one for %(organization)s is %(first)s."
            )
            % {"organization": organization.name, "first": f"{next_on:%Y-%m}"},
            code="earlier_month_open",
        )


def _refuse_before_grace_is_over(month: Month, *, now: dt.datetime) -> None:
    due = closes_at(month, grace=grace())
    if now >= due:
        return
    raise BusinessError(
        _("%(month)s is still open: it can be closed after its grace period, %(due)s.")
        % {
            "month": month_text(month.first_on),
            "due": zoned_moment_text(due, zone=month.zone),
        },
        code="month_not_over",
    )


@transaction.atomic
def freeze_month(
    organization_id: int, *, month_on: dt.date, now: dt.datetime
) -> BillingMonth:
    """Let nothing more into a month: late events go to the open one from now on.

    Usage that had not entered the ledger yet enters it first. A month frozen before is
    answered as it is. Raises what `check_may_close` raises, and BusinessError
    `month_unfinished` while the month before is half-closed.
    """
    # Races the recorder, which places events by `frozen_through_on` under the same lock:
    # whoever has it first decides whether an event still enters this month.
    locked = lock_organization(organization_id)
    frozen_before = BillingMonth.objects.filter(
        organization=locked, month_on=month_on
    ).first()
    if frozen_before is not None:
        return frozen_before
    check_may_close(locked, month_on=month_on, now=now)
    _refuse_while_another_is_unfinished(locked)
    month = locked.calendar.month(month_on)
    account = account_of(locked)
    # The guards refuse entries of a frozen month, so its charges are booked before.
    roll_up(locked, now=now, before=next_month(month_on))
    BillingAccount.objects.filter(pk=account.pk).update(frozen_through_on=month_on)
    return BillingMonth.objects.create(
        organization=locked,
        month_on=month_on,
        starts_at=month.start,
        ends_at=month.end,
        zone=month.zone,
        frozen_at=now,
        edition=_edition(locked, month_on=month_on),
    )


def _edition(locked: Organization, *, month_on: dt.date) -> int:
    taken_back = MonthReopening.objects.filter(organization=locked, month_on=month_on)
    return taken_back.count() + 1


def _refuse_while_another_is_unfinished(organization: Organization) -> None:
    # An invoice takes over what the one before carried on, so that one comes first.
    if BillingMonth.objects.unfinished().filter(organization=organization).exists():
        raise BusinessError(
            _("The previous month hasn't finished closing yet."),
            code="month_unfinished",
        )


@transaction.atomic
def draft_month(month_id: int, *, now: dt.datetime) -> None:
    """Write the invoice and the statement of a frozen month, with all their lines.

    Does nothing when the month was drafted before.
    """
    # Races only others who draft it. The recorder is not waited for: it reads that the
    # month is frozen, and triggers refuse whoever does not.
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
def finish_month(month_id: int, *, now: dt.datetime) -> ClosedMonth:
    """Number and issue what was drafted, and queue its mails; the month is closed.

    Does nothing when the month was closed before.
    """
    # The organization's lock first, as everywhere: numbers are taken without a gap, and
    # credit notes and voids of earlier invoices wait.
    locked = lock_organization(
        BillingMonth.objects.values_list("organization_id", flat=True).get(pk=month_id)
    )
    month = BillingMonth.objects.select_for_update(no_key=True).get(pk=month_id)
    if month.state != BillingMonth.State.DRAFTED:
        return ClosedMonth(month)
    of_month = {
        "organization": locked,
        "month_on": month.month_on,
        "edition": month.edition,
    }
    invoice = Invoice.objects.filter(**of_month).first()
    statement = Statement.objects.filter(**of_month).first()
    mails: list[int] = []
    if invoice:
        mails += issue_invoice(locked, invoice, now=now)
    if statement:
        mails += queue_statement_mails(locked, statement, now=now)
    month.state = BillingMonth.State.CLOSED
    month.closed_at = now
    month.save(update_fields=["state", "closed_at"])
    publish(
        locked,
        EventType.MONTH_CLOSED,
        key=f"month:{month.pk}",
        data={
            "month": f"{month.month_on:%Y-%m}",
            "edition": month.edition,
            "invoice": invoice.number if invoice else None,
        },
        now=now,
    )
    return ClosedMonth(month, invoice, statement, mails)
