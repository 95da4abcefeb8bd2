"""Writing the receipt of a purchase, in the transaction that books the money.

The price includes tax: what was charged lifts the balance, and the receipt says how much
of it is tax. Nothing that was charged ever changes because of a rate.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Max, Model

from accounts.models import Organization
from billing.models import Payment, PurchaseReceipt
from billing.payments.parties import buyer_of, details_of, seller
from billing.payments.rules.tax import tax_within


def next_number(
    locked: Organization, model: type[Model], *, infix: str = ""
) -> tuple[int, str]:
    """The next sequence of an organization's series and the number made of it.

    Without gaps, since it is taken in the transaction that uses it.
    """
    issued = model._default_manager.filter(organization=locked)
    sequence = (issued.aggregate(last=Max("sequence"))["last"] or 0) + 1
    return sequence, f"{locked.slug.upper()}-{infix}{sequence:04d}"


def issue_receipt(
    locked: Organization, payment: Payment, *, now: dt.datetime
) -> PurchaseReceipt:
    """The receipt of a payment whose money came; the database allows it once."""
    details = details_of(locked)
    tax = tax_within(payment.amount_nanos, rate=details.tax_rate)
    sequence, number = next_number(locked, PurchaseReceipt, infix="R-")
    return PurchaseReceipt.objects.create(
        organization=locked,
        payment=payment,
        sequence=sequence,
        number=number,
        subtotal_nanos=payment.amount_nanos - tax,
        tax_label=details.tax_label,
        tax_rate=details.tax_rate,
        tax_nanos=tax,
        total_nanos=payment.amount_nanos,
        zone=locked.zone_at(now),
        seller=seller(),
        buyer=buyer_of(locked),
        issued_at=now,
    )
