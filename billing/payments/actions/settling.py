"""What the gateway says about a payment, kept in our rows, once (T4-T6).

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction

from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.ledger.actions import post_entry
from billing.models import EntryKind, LedgerEntry, Payment
from billing.payments.actions.declines import count_decline, end_series
from billing.payments.actions.owner_mails import PAID, queue_for_owners
from billing.payments.actions.publishing import publish_decline, publish_paid
from billing.payments.actions.receipts import issue_receipt
from billing.payments.gateways.base import (
    Canceled,
    Declined,
    NeedsAction,
    Outcome,
    Paid,
)
from billing.payments.queries.cards import card_of

# How long an owner has to confirm a purchase at their bank.
ACTION_LASTS = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a payment, whether that is news, the entry it made, and the mails
    (ids) that are due because of it.
    """

    payment: Payment
    is_news: bool = False
    entry: LedgerEntry | None = None
    mails: list[int] = field(default_factory=list)


@transaction.atomic
def settle_payment(payment_id: int, outcome: Outcome, *, now: dt.datetime) -> Settled:
    """Keep what the gateway says; the same again, from whomever, changes nothing.

    The answer, a webhook and a sweep tell the same outcome and may do so at once. They
    queue for the organization's lock; the status read behind it decides who was first.

    1. Money that was taken always counts, once, also after we thought otherwise.
    2. Else what is settled stays as it is.
    3. A payment that waits for the owner's bank stays open.
    4. Declined or canceled, it is settled; where auto-reload had asked, that may count
       as a decline of its series.
    """
    organization_id = Payment.objects.values_list("organization_id", flat=True).get(
        pk=payment_id
    )
    locked = lock_organization(organization_id)
    payment = Payment.objects.select_related("organization", "created_by").get(
        pk=payment_id
    )
    if isinstance(outcome, Paid):
        return _settle_paid(locked, payment, outcome, now=now)
    if payment.status not in Payment.OPEN:
        return Settled(payment)
    if isinstance(outcome, NeedsAction):
        return _wait_for_bank(payment, outcome)
    return _settle_unpaid(locked, payment, outcome, now=now)


def _settle_paid(
    locked: Organization, payment: Payment, outcome: Paid, *, now: dt.datetime
) -> Settled:
    if payment.status == Payment.Status.SUCCEEDED:
        return Settled(payment)
    payment.status = Payment.Status.SUCCEEDED
    payment.decline_code = ""
    payment.decline_message = ""
    _save_settled(payment, outcome.gateway_id, now=now)
    kind = EntryKind.PURCHASE
    if payment.purpose == Payment.Purpose.RELOAD:
        kind = EntryKind.RELOAD
    entry = post_entry(
        locked,
        kind=kind,
        amount_nanos=payment.amount_nanos,
        payment=payment,
        actor=payment.created_by,
        now=now,
    )
    issue_receipt(locked, payment, now=now)
    end_series(locked)
    publish_paid(locked, payment, now=now)
    mails = queue_for_owners(
        locked, PAID, key=str(payment.pk), facts={"entry": entry.pk}, now=now
    )
    return Settled(payment, is_news=True, entry=entry, mails=mails)


def _settle_unpaid(
    locked: Organization,
    payment: Payment,
    outcome: Declined | Canceled,
    *,
    now: dt.datetime,
) -> Settled:
    payment.status = Payment.Status.CANCELED
    payment.decline_code = ""
    payment.decline_message = ""
    if isinstance(outcome, Declined):
        payment.status = Payment.Status.DECLINED
        payment.decline_code = outcome.code[:60]
        payment.decline_message = outcome.message[:300]
    _save_settled(payment, outcome.gateway_id, now=now)
    mails = []
    if _counts_as_decline(payment, outcome):
        mails = count_decline(locked, payment, card=card_of(locked.pk), now=now)
        publish_decline(locked, payment, now=now)
    return Settled(payment, is_news=True, mails=mails)


def _counts_as_decline(payment: Payment, outcome: Declined | Canceled) -> bool:
    """Whether a payment that failed belongs to a series of declines of auto-reload.

    What the gateway never heard of was declined by nobody. Canceled over there, it
    counts, or it would be tried again at once and for ever.
    """
    if payment.purpose != Payment.Purpose.RELOAD:
        return False
    return isinstance(outcome, Declined) or bool(outcome.gateway_id)


def _save_settled(payment: Payment, gateway_id: str, *, now: dt.datetime) -> None:
    payment.gateway_id = gateway_id or payment.gateway_id
    payment.settled_at = now
    payment.action_url = ""
    payment.save(
        update_fields=[
            "status",
            "decline_code",
            "decline_message",
            "gateway_id",
            "settled_at",
            "action_url",
        ]
    )


def _wait_for_bank(payment: Payment, outcome: NeedsAction) -> Settled:
    """Leave it to the owner until their time is over; then somebody asks again."""
    time_is_over_at = payment.created_at + ACTION_LASTS
    if payment.status == Payment.Status.ACTION:
        Payment.objects.filter(pk=payment.pk).update(next_check_at=time_is_over_at)
        return Settled(payment)
    payment.status = Payment.Status.ACTION
    payment.action_url = outcome.url[:1000]
    payment.gateway_id = outcome.gateway_id
    payment.next_check_at = time_is_over_at
    payment.save(update_fields=["status", "action_url", "gateway_id", "next_check_at"])
    return Settled(payment, is_news=True)
