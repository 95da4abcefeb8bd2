"""The card on file: entered at the gateway, never here."""

from __future__ import annotations

import datetime as dt

from accounts.actions.audit import Actor
from accounts.models import Organization
from billing.models import PaymentCard
from billing.payments.actions.purchases import (
    save_card,
    save_customer,
)
from billing.payments.gateways import current_gateway
from billing.payments.gateways.base import (
    GatewayRefused,
)


def card_form_url(
    organization: Organization, *, return_url: str, cancel_url: str
) -> str:
    """Where an owner enters the card. Raises GatewayUnknown, GatewayRefused."""
    customer_id = customer_of(organization)
    return current_gateway().card_form_url(
        customer_id=customer_id, return_url=return_url, cancel_url=cancel_url
    )


def customer_of(organization: Organization) -> str:
    """What the gateway in use calls the organization; made there at first.

    Raises GatewayUnknown, GatewayRefused.
    """
    gateway = current_gateway()
    card = PaymentCard.objects.filter(
        organization=organization, gateway=gateway.name
    ).first()
    if card is None:
        customer = gateway.create_customer(
            reference=organization.slug,
            name=organization.name,
            email=organization.billing_email,
        )
        card = save_customer(organization, customer_id=customer)
    return card.customer_id


def keep_card(
    organization: Organization, *, session_id: str, actor: Actor, now: dt.datetime
) -> PaymentCard:
    """Take over the card that was entered at the gateway; without a session there is
    none. Raises what it raises.
    """
    gateway = current_gateway()
    known = PaymentCard.objects.filter(
        organization=organization, gateway=gateway.name
    ).first()
    if known is None or not session_id:
        raise GatewayRefused("no_card_entered")
    card = gateway.card_entered(customer_id=known.customer_id, session_id=session_id)
    return save_card(organization, card=card, actor=actor, now=now)
