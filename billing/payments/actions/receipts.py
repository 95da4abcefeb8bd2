"""Writing the receipt of a purchase, in the transaction that books the money.

The price includes tax: what was charged lifts the balance, and the receipt says how much
of it is tax. Nothing that was charged ever changes because of a rate.
"""

from __future__ import annotations

import datetime as dt

from accounts.models import Organization
from billing.models import Payment, PurchaseReceipt, Series
from billing.payments.actions.numbering import next_number
from billing.payments.parties import buyer_of, details_of, seller
from billing.payments.rules.tax import tax_within


def issue_receipt(
    locked: Organization, payment: Payment, *, now: dt.datetime
) -> PurchaseReceipt:
    """The receipt of a payment whose money came; the database allows it once."""
    details = details_of(locked)
    tax = tax_within(payment.amount_nanos, rate=details.tax_rate)
    sequence, number = next_number(locked, Series.RECEIPT)
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
