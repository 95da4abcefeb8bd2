"""Payments as rows, before the gateway is asked: checked, started, claimed (T4-T6).

Nothing here talks to a gateway; `billing.payments.processing` does, between `start_…`
and `actions.settling.settle_payment`. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.organizations import lock_organization
from accounts.models import Organization, Settlement, User
from billing.ledger.actions import account_of, check_balance_has_room
from billing.models import Payment, PaymentCard
from billing.models.payments import PaymentQuerySet
from billing.payments.gateways import check_payments_are_taken
from billing.payments.queries.cards import card_label, card_of
from billing.payments.rules.reloading import LEAST_NANOS, MOST_NANOS
from config.kit.errors import BusinessError
from config.kit.money import NANOS_PER_CENT, format_usd

# Within this time a form sent again is a double click or a second try of the browser,
# not a second purchase.
SAME_PRESS = dt.timedelta(minutes=1)


def check_purchase_amount(amount_nanos: int, *, field: str = "amount") -> None:
    """Purchases are whole cents from $5 to $100,000 (M1).

    Raises BusinessError with the sentence for the field.
    """
    texts = {
        "least": format_usd(LEAST_NANOS),
        "most": format_usd(MOST_NANOS),
        "amount": format_usd(amount_nanos),
    }
    if amount_nanos < LEAST_NANOS:
        sentence = _("%(amount)s is below the minimum purchase of %(least)s.") % texts
    elif amount_nanos > MOST_NANOS:
        sentence = _("%(amount)s is over the maximum purchase of %(most)s.") % texts
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


def require_card(organization_id: int) -> PaymentCard:
    """The card that can be charged. Raises BusinessError `no_card` without one."""
    card = card_of(organization_id)
    if card is None:
        raise BusinessError(
            _("There is no card to charge yet. Add one first."), code="no_card"
        )
    return card


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
    BusinessError: `not_prepaid`, `no_payments`, `purchase_amount`, `no_card`, or
    `payment_in_flight` while another one is not settled, since buying again could pay
    twice.
    """
    locked = lock_organization(organization.pk)
    earlier = Payment.objects.filter(organization=locked, key=key).first()
    if earlier is not None:
        _check_same_press(earlier, amount_nanos=amount_nanos, now=now)
        return earlier, False
    check_is_prepaid(locked)
    check_payments_are_taken()
    check_purchase_amount(amount_nanos)
    check_balance_has_room(account_of(locked), amount_nanos)
    card = require_card(locked.pk)
    _check_nothing_in_flight(locked)
    payment = new_payment(
        locked,
        card,
        purpose=Payment.Purpose.PURCHASE,
        amount_nanos=amount_nanos,
        buyer=buyer,
        key=key,
        now=now,
    )
    return payment, True


def _check_same_press(earlier: Payment, *, amount_nanos: int, now: dt.datetime) -> None:
    """Raises BusinessError `already_bought` where the form was used for something else."""
    is_recent = now - earlier.created_at < SAME_PRESS
    if earlier.amount_nanos == amount_nanos and is_recent:
        return
    raise BusinessError(
        _(
            "This form was already used to buy %(amount)s, so nothing was bought "
            "this time. Press again to buy more."
        )
        % {"amount": format_usd(earlier.amount_nanos)},
        code="already_bought",
    )


def _check_nothing_in_flight(locked: Organization) -> None:
    """Raises BusinessError `payment_in_flight` while another payment may still be paid."""
    # Nobody confirms a reload at a bank, so it must not keep owners from buying.
    unsettled = (
        Payment.objects.unsettled()
        .filter(organization=locked)
        .exclude(status=Payment.Status.ACTION, purpose=Payment.Purpose.RELOAD)
        .first()
    )
    if unsettled is None:
        return
    if unsettled.status == Payment.Status.ACTION:
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
    texts = {
        "amount": format_usd(unsettled.amount_nanos),
        "card": unsettled.card_label,
    }
    raise BusinessError(sentence % texts, code="payment_in_flight")


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
        next_check_at=now + PaymentQuerySet.claim_lasts,
        checks=1,
    )


def claim_payment(payment_id: int, *, now: dt.datetime) -> Payment | None:
    """Take an unsettled payment that is due; None when it is settled or somebody else
    is asking.
    """
    payments = Payment.objects.select_related("organization")
    return payments.claim(payment_id, now=now)


def retry_payment_later(payment: Payment, *, now: dt.datetime) -> None:
    """Nobody knows yet: ask again after 1, 5, 15 and then every 60 minutes, with the
    same key.
    """
    Payment.objects.retry_later(payment, now=now)
