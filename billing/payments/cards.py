"""The card on file: entered at the gateway, never here."""

from __future__ import annotations

import datetime as dt

from accounts.actions.audit import Actor
from accounts.models import Organization
from billing.models import PaymentCard
from billing.payments.actions.cards import save_card, save_customer
from billing.payments.gateways import current_gateway
from billing.payments.gateways.base import Gateway, GatewayRefused


def card_form_url(
    organization: Organization, *, return_url: str, cancel_url: str
) -> str:
    """Where an owner enters the card.

    Raises GatewayUnknown, GatewayRefused, BusinessError `no_payments`.
    """
    customer_id = customer_of(organization)
    return current_gateway().card_form_url(
        customer_id=customer_id, return_url=return_url, cancel_url=cancel_url
    )


def customer_of(organization: Organization) -> str:
    """What the gateway in use calls the organization; made there at first.

    Raises GatewayUnknown, GatewayRefused, BusinessError `no_payments`.
    """
    gateway = current_gateway()
    customer = _customer(organization, gateway)
    if customer is None:
        customer_id = gateway.create_customer(
            reference=organization.slug,
            name=organization.name,
            email=organization.billing_email,
        )
        customer = save_customer(organization, customer_id=customer_id)
    return customer.customer_id


def _customer(organization: Organization, gateway: Gateway) -> PaymentCard | None:
    """The row of the organization at a gateway, with a card or without."""
    customers = PaymentCard.objects.filter(gateway=gateway.name)
    return customers.filter(organization=organization).first()


def keep_card(
    organization: Organization, *, session_id: str, actor: Actor, now: dt.datetime
) -> PaymentCard:
    """Charge the card that was entered at the gateway, in the form with `session_id`.

    Raises GatewayUnknown, GatewayRefused `no_card_entered`, `not_a_card`, and
    BusinessError `no_payments`.
    """
    gateway = current_gateway()
    customer = _customer(organization, gateway)
    if customer is None or not session_id:
        raise GatewayRefused("no_card_entered")
    card = gateway.card_entered(customer_id=customer.customer_id, session_id=session_id)
    return save_card(organization, card=card, actor=actor, now=now)
