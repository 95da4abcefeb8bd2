"""Keeping the customer and the card that the gateway gave an organization."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.ledger.actions import account_of
from billing.models import BillingAccount, PaymentCard
from billing.payments.actions.declines import end_series
from billing.payments.gateways.base import Card
from billing.payments.queries.cards import card_label


@transaction.atomic
def save_customer(organization: Organization, *, customer_id: str) -> PaymentCard:
    """Keep what the gateway calls the organization; the first of two owners who begin
    at once wins.

    A customer and card of another gateway, used before, are forgotten.
    """
    locked = lock_organization(organization.pk)
    customer = (
        PaymentCard.objects.of_gateway_in_use().filter(organization=locked).first()
    )
    if customer is not None:
        return customer
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
    before = _as_audited(row)
    _overwrite(row, card, now=now)
    account = account_of(locked)
    end_series(locked)
    BillingAccount.objects.filter(pk=account.pk).update(reload_ended_at=None)
    record_change(
        locked,
        actor=actor,
        action="balance.card",
        subject=locked.name,
        now=now,
        from_value=before,
        to_value=_as_audited(row),
    )
    return row


def _as_audited(row: PaymentCard) -> dict[str, str] | None:
    """What the audit keeps of a card: a renewed one has its number and another date."""
    if not row.card_id:
        return None
    expires = {"expires_on": row.expires_on.isoformat()} if row.expires_on else {}
    return {"card": card_label(row), **expires}


def _overwrite(row: PaymentCard, card: Card, *, now: dt.datetime) -> None:
    row.customer_id = card.customer_id
    row.card_id = card.card_id
    row.brand = card.brand
    row.last4 = card.last4
    row.expires_on = card.expires_on
    row.saved_at = now
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
