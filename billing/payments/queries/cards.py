"""The card on file, as our rows have it. Read-only; the number itself stays at the
gateway.
"""

from __future__ import annotations

from billing.models import PaymentCard


def card_of(organization_id: int) -> PaymentCard | None:
    """The card that can be charged through the gateway in use; None while there is none."""
    return (
        PaymentCard.objects.chargeable().filter(organization_id=organization_id).first()
    )


def card_label(card: PaymentCard) -> str:
    """`Visa 0341`: how payments keep their card, the same in every language."""
    return f"{card.brand} {card.last4}"
