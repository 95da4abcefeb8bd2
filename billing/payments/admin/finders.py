"""What the operators' search finds of payments: by the gateway's id and our key."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.operators.finding import (
    MOST_OF_A_KIND,
    FinderKind,
    Found,
    list_search,
    register_finder,
)
from billing.models import Payment
from config.kit.money import format_usd


def find_payments(text: str) -> list[Found]:
    """By whole ids alone."""
    rows = Payment.objects.filter(Q(gateway_id=text) | Q(key=text))
    return [
        Found(
            f"{format_usd(row.amount_nanos)}, {row.get_status_display()}",
            f"{row.organization.name} · {row.gateway_id or row.key}",
            reverse("admin:billing_payment_change", args=[row.pk]),
            is_exact=True,
        )
        for row in rows.select_related("organization")[:MOST_OF_A_KIND]
    ]


register_finder(
    "payments",
    FinderKind(
        gettext_lazy("Payments"),
        "credit-card",
        find_payments,
        "billing.view_payment",
        list_search("billing_payment_changelist"),
    ),
)
