"""Payments as rows: started before the gateway is asked, settled with its answer, once
(T4-T6).

Nothing here talks to a gateway; `billing.payments.processing` does, between `start_…`
and `settle_payment`. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization, Settlement, User
from billing.ledger.actions import account_of, post_entry
from billing.models import BillingAccount, EntryKind, LedgerEntry, Payment, PaymentCard
from billing.payments.actions.declines import count_decline, end_series
from billing.payments.actions.owner_mails import PAID, tell_owners
from billing.payments.gateways.base import Card, Declined, NeedsAction, Outcome, Paid
from billing.payments.rules.reloading import LEAST_NANOS, MOST_NANOS
from config.kit.errors import BusinessError
from config.kit.money import NANOS_PER_CENT, format_usd

# Longer than a gateway may take to answer; then somebody else asks again, with the same key.
CLAIM = dt.timedelta(minutes=2)
WAITS = [
    dt.timedelta(minutes=1),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=15),
    dt.timedelta(hours=1),
]
# Within this time a form sent again is a double click or a second try of the browser,
# not a second purchase.
SAME_PRESS = dt.timedelta(minutes=1)
# How long an owner has to confirm a purchase at their bank.
ACTION_LASTS = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a payment, whether that is news, and the mails that are due
    because of it.
    """

    payment: Payment
    is_news: bool = False
    entry: LedgerEntry | None = None
    mails: list[int] = field(default_factory=list)


def check_purchase_amount(amount_nanos: int, *, field: str = "amount") -> None:
    """Purchases are whole cents from $5 to $100,000 (M1).

    Raises BusinessError with the sentence for the field.
    """
    words = {
        "least": format_usd(LEAST_NANOS),
        "most": format_usd(MOST_NANOS),
        "amount": format_usd(amount_nanos),
    }
    if amount_nanos < LEAST_NANOS:
        sentence = _("%(amount)s is below the minimum purchase of %(least)s.") % words
    elif amount_nanos > MOST_NANOS:
        sentence = _("%(amount)s is over the maximum purchase of %(most)s.") % words
    elif amount_nanos % NANOS_PER_CENT:
        sentence = _("Purchases are in whole cents, such as 25.50.")
    else:
        return
    raise BusinessError(sentence, code="purchase_amount", status=422, field=field)


def check_is_prepaid(organization: Organization) -> None:
    """Raises BusinessError `not_prepaid` where usage is billed after the month."""
    if organization.settlement != Settlement.PREPAID:
        raise BusinessError(
            _(
                "%(organization)s is billed after each month ends, so there is no "
                "balance to buy."
            )
            % {"organization": organization.name},
            code="not_prepaid",
        )


def card_of(organization_id: int) -> PaymentCard | None:
    """The card that can be charged through the gateway in use; None while there is none."""
    cards = PaymentCard.objects.filter(
        organization_id=organization_id, gateway=settings.PAYMENT_GATEWAY
    )
    return cards.exclude(card_id="").first()


def card_label(card: PaymentCard) -> str:
    """`Visa 0341`: how payments keep their card."""
    return f"{card.brand} {card.last4}"


@transaction.atomic
def save_customer(organization: Organization, *, customer_id: str) -> PaymentCard:
    """Keep what the gateway calls the organization; the first of two owners who begin
    at once wins.
    """
    locked = lock_organization(organization.pk)
    known = PaymentCard.objects.filter(organization=locked).first()
    if known is not None and known.gateway == settings.PAYMENT_GATEWAY:
        return known
    PaymentCard.objects.filter(organization=locked).delete()
    return PaymentCard.objects.create(
        organization=locked, gateway=settings.PAYMENT_GATEWAY, customer_id=customer_id
    )


@transaction.atomic
def save_card(
    organization: Organization, *, card: Card, actor: Actor, now: dt.datetime
) -> PaymentCard:
    """Charge this card from now on.

    A series of declines ends, so that auto-reload tries again at once.
    """
    locked = lock_organization(organization.pk)
    row = PaymentCard.objects.get(organization=locked)
    before = card_label(row) if row.card_id else None
    row.customer_id, row.card_id, row.brand, row.last4 = (
        card.customer_id,
        card.card_id,
        card.brand,
        card.last4,
    )
    row.expires_on, row.saved_at = card.expires_on, now
    row.save(
        update_fields=[
            "customer_id",
            "card_id",
            "brand",
            "last4",
            "expires_on",
            "saved_at",
        ]
    )
    account = account_of(locked)
    BillingAccount.objects.filter(pk=account.pk).update(
        reload_declined_at=None,
        reload_declines=0,
        reload_retry_at=None,
        reload_ended_at=None,
    )
    record_change(
        locked,
        actor=actor,
        action="balance.card",
        subject=locked.name,
        now=now,
        from_value=before,
        to_value=card_label(row),
    )
    return row


@transaction.atomic
def start_purchase(
    organization: Organization,
    *,
    amount_nanos: int,
    buyer: User,
    key: str,
    now: dt.datetime,
) -> tuple[Payment, bool]:
    """Write down that an owner buys, and whether it is new; the caller then asks the
    gateway about a new one.

    `key` names the press of the button: pressed twice, it is the same purchase; used
    again later or with another amount, it is refused (`already_bought`). Raises
    BusinessError: `not_prepaid`, `purchase_amount`, `no_card`, or `payment_in_flight`
    while another one is not settled, since buying again could pay twice.
    """
    locked = lock_organization(organization.pk)
    known = Payment.objects.filter(organization=locked, key=key).first()
    if known is not None:
        _check_same_press(known, amount_nanos=amount_nanos, now=now)
        return known, False
    check_is_prepaid(locked)
    check_purchase_amount(amount_nanos)
    card = card_of(locked.pk)
    if card is None:
        raise BusinessError(
            _("There is no card to charge yet. Add one first."), code="no_card"
        )
    open_one = (
        Payment.objects.unsettled()
        .filter(organization=locked)
        .exclude(status=Payment.Status.ACTION, purpose=Payment.Purpose.RELOAD)
        .first()
    )
    if open_one is not None:
        raise _in_flight(open_one)
    made = new_payment(
        locked,
        card,
        purpose=Payment.Purpose.PURCHASE,
        amount_nanos=amount_nanos,
        buyer=buyer,
        key=key,
        now=now,
    )
    return made, True


def _check_same_press(known: Payment, *, amount_nanos: int, now: dt.datetime) -> None:
    if known.amount_nanos == amount_nanos and now - known.created_at < SAME_PRESS:
        return
    raise BusinessError(
        _(
            "This form was already used to buy %(amount)s, so nothing was bought "
            "this time. Press again to buy more."
        )
        % {"amount": format_usd(known.amount_nanos)},
        code="already_bought",
    )


def _in_flight(payment: Payment) -> BusinessError:
    words = {"amount": format_usd(payment.amount_nanos), "card": payment.card_label}
    if payment.status == Payment.Status.ACTION:
        sentence = _(
            "A purchase of %(amount)s is still waiting for your bank. Confirm or "
            "cancel it first."
        )
    else:
        sentence = _(
            "A payment of %(amount)s with %(card)s is still being settled. Wait for "
            "its outcome, so that nothing is charged twice; it will show here within "
            "minutes."
        )
    return BusinessError(sentence % words, code="payment_in_flight")


def new_payment(
    locked: Organization,
    card: PaymentCard,
    *,
    purpose: str,
    amount_nanos: int,
    buyer: User | None,
    key: str = "",
    now: dt.datetime,
) -> Payment:
    """The row of a payment that its maker is about to ask the gateway for; they hold
    its claim.
    """
    return Payment.objects.create(
        organization=locked,
        purpose=purpose,
        amount_nanos=amount_nanos,
        key=key or uuid.uuid4().hex,
        gateway=card.gateway,
        customer_id=card.customer_id,
        card_id=card.card_id,
        card_label=card_label(card),
        created_by=buyer,
        created_at=now,
        next_check_at=now + CLAIM,
        checks=1,
    )


def claim_payment(payment_id: int, *, now: dt.datetime) -> Payment | None:
    """Take an unsettled payment that is due; None when it is settled or somebody else
    is asking.
    """
    won = (
        Payment.objects.due(now)
        .filter(pk=payment_id)
        .update(next_check_at=now + CLAIM, checks=F("checks") + 1)
    )
    return (
        Payment.objects.select_related("organization").get(pk=payment_id)
        if won
        else None
    )


def put_off_payment(payment: Payment, *, now: dt.datetime) -> None:
    """Nobody knows yet: ask again after 1, 5, 15 and then every 60 minutes."""
    wait = WAITS[min(payment.checks, len(WAITS)) - 1]
    Payment.objects.unsettled().filter(pk=payment.pk).update(next_check_at=now + wait)


@transaction.atomic
def settle_payment(payment_id: int, outcome: Outcome, *, now: dt.datetime) -> Settled:
    """Keep what the gateway says.

    The same again changes nothing; that money was taken always counts, once.
    """
    locked = lock_organization(
        Payment.objects.values_list("organization_id", flat=True).get(pk=payment_id)
    )
    payment = Payment.objects.select_related("organization", "created_by").get(
        pk=payment_id
    )
    if isinstance(outcome, Paid):
        return _paid(locked, payment, outcome, now=now)
    if payment.status not in Payment.OPEN:
        return Settled(payment)
    if isinstance(outcome, NeedsAction):
        return _wait_for_bank(payment, outcome, now=now)
    is_declined = isinstance(outcome, Declined)
    payment.status = Payment.Status.DECLINED if is_declined else Payment.Status.CANCELED
    payment.decline_code = outcome.code[:60] if isinstance(outcome, Declined) else ""
    payment.decline_message = (
        outcome.message[:300] if isinstance(outcome, Declined) else ""
    )
    _keep(payment, outcome.gateway_id, now=now)
    # What the gateway never heard of was declined by nobody. Called off over there, it
    # counts, or it would be tried again
    # at once and for ever.
    is_failed_reload = payment.purpose == Payment.Purpose.RELOAD and (
        is_declined or bool(outcome.gateway_id)
    )
    mails = (
        count_decline(locked, payment, card=card_of(locked.pk), now=now)
        if is_failed_reload
        else []
    )
    return Settled(payment, True, mails=mails)


def _keep(payment: Payment, gateway_id: str, *, now: dt.datetime) -> None:
    payment.gateway_id = gateway_id or payment.gateway_id
    payment.settled_at, payment.action_url = now, ""
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


def _paid(
    locked: Organization, payment: Payment, outcome: Paid, *, now: dt.datetime
) -> Settled:
    if payment.status == Payment.Status.SUCCEEDED:
        return Settled(payment)
    payment.status, payment.decline_code, payment.decline_message = (
        Payment.Status.SUCCEEDED,
        "",
        "",
    )
    _keep(payment, outcome.gateway_id, now=now)
    is_reload = payment.purpose == Payment.Purpose.RELOAD
    entry = post_entry(
        locked,
        kind=EntryKind.RELOAD if is_reload else EntryKind.PURCHASE,
        amount_nanos=payment.amount_nanos,
        payment=payment,
        actor=payment.created_by,
        now=now,
    )
    end_series(locked)
    mails = tell_owners(
        locked, PAID, key=str(payment.pk), facts={"entry": entry.pk}, now=now
    )
    return Settled(payment, True, entry, mails)


def _wait_for_bank(
    payment: Payment, outcome: NeedsAction, *, now: dt.datetime
) -> Settled:
    if payment.status == Payment.Status.ACTION:
        Payment.objects.filter(pk=payment.pk).update(
            next_check_at=payment.created_at + ACTION_LASTS
        )
        return Settled(payment)
    payment.status, payment.action_url = Payment.Status.ACTION, outcome.url[:1000]
    payment.gateway_id, payment.next_check_at = (
        outcome.gateway_id,
        payment.created_at + ACTION_LASTS,
    )
    payment.save(update_fields=["status", "action_url", "gateway_id", "next_check_at"])
    return Settled(payment, True)
