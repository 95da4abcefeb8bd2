"""How an invoice ends (P3): paid, or void. Nothing on it is edited."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization, User
from billing.documents.actions.issuing import publish_invoice
from billing.documents.rules import whole_cents
from billing.models import EventType, Invoice
from config.kit.errors import BusinessError
from config.kit.money import format_usd
from config.kit.one_line import line_of, shown_line


@transaction.atomic
def mark_paid(
    invoice: Invoice, *, note: str, operator: User | None, now: dt.datetime
) -> Invoice:
    """The money came: by an operator's word, or at the gateway (no `operator`).

    One that is paid already stays as it is. Raises BusinessError `invoice_not_open` for
    a void one.
    """
    locked = lock_organization(invoice.organization_id)
    current = Invoice.objects.get(pk=invoice.pk)
    if current.status == Invoice.Status.PAID:
        return current
    refuse_unless_open(current)
    return settle_invoice(
        locked, current, Invoice.Status.PAID, note=note, operator=operator, now=now
    )


@transaction.atomic
def void_invoice(
    invoice: Invoice, *, reason: str, operator: User, now: dt.datetime
) -> Invoice:
    """Nothing is owed any more; number and lines stay.

    Raises BusinessError `invoice_not_open`, `reason_missing`, `credit_would_be_lost`.
    """
    locked = lock_organization(invoice.organization_id)
    current = Invoice.objects.get(pk=invoice.pk)
    refuse_unless_open(current)
    check_reason(reason)
    refuse_losing_a_carried_credit(current)
    return settle_invoice(
        locked, current, Invoice.Status.VOID, note=reason, operator=operator, now=now
    )


def settle_invoice(
    locked: Organization,
    invoice: Invoice,
    status: Invoice.Status,
    *,
    note: str,
    operator: User | None,
    command: str = "",
    now: dt.datetime,
) -> Invoice:
    """End an open invoice under the organization's lock, and write who did to the audit:
    an operator, an operator's `command` by its name, or the gateway.
    """
    status_before = invoice.status
    invoice.status = status
    invoice.settled_at = now
    invoice.settled_by = operator
    # Paid there is known there; whatever else an operator decides is told to the gateway.
    is_ours = bool(operator or command)
    invoice.gateway_next_try_at = now if invoice.gateway and is_ours else None
    # A gateway's words are taken as they come; an operator can say it better.
    line = line_of(note, field="reason") if is_ours else shown_line(note)
    invoice.settled_note = line[:300]
    invoice.save(
        update_fields=[
            "status",
            "settled_at",
            "settled_by",
            "settled_note",
            "gateway_next_try_at",
        ]
    )
    record_change(
        locked,
        actor=Actor(label=command) if command else _who_settled(invoice),
        action="invoice.status",
        subject=invoice.number,
        now=now,
        from_value=status_before,
        to_value=status.value,
    )
    if status == Invoice.Status.PAID:
        publish_invoice(locked, invoice, EventType.INVOICE_PAID, now=now)
    return invoice


def _who_settled(invoice: Invoice) -> Actor:
    if invoice.settled_by:
        return Actor.person(invoice.settled_by, reason=invoice.settled_note)
    return Actor(label=invoice.gateway or "gateway")


def refuse_unless_open(invoice: Invoice) -> None:
    """Raises BusinessError `invoice_not_open` for a draft, a paid or a void one."""
    if invoice.status == Invoice.Status.OPEN:
        return
    raise BusinessError(
        _("%(number)s is not open but %(status)s, so nothing was changed.")
        % {
            "number": invoice.number or invoice,
            "status": invoice.get_status_display(),
        },
        code="invoice_not_open",
    )


def refuse_losing_a_carried_credit(invoice: Invoice) -> None:
    """A void invoice hands on what it took over, to the next one that is drafted.

    Where a later one was made already, without that, a credit would be lost: raises
    BusinessError `credit_would_be_lost`.
    """
    later = Invoice.objects.filter(
        organization_id=invoice.organization_id, month_on__gt=invoice.month_on
    )
    if whole_cents(invoice.carried_in_nanos) >= 0 or not later.exists():
        return
    raise BusinessError(
        _(
            "%(number)s includes a carried-over credit of %(credit)s, which "
            "would be lost if you voided it. Issue a credit note instead."
        )
        % {
            "number": invoice.number,
            "credit": format_usd(-invoice.carried_in_nanos),
        },
        code="credit_would_be_lost",
    )
