"""What operators watch of payments, refunds and what the gateway told. Read-only."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Min, Q

from billing.models import GatewayNotice, Payment, Refund
from config.kit.measures import Measure, age, measures, single


@measures
def payments(now: dt.datetime) -> list[Measure]:
    """Payments and refunds whose outcome nobody knows, with the oldest of each."""
    is_started = Q(status=Payment.Status.STARTED)
    unsettled = Payment.objects.unsettled().aggregate(
        unknown=Count("pk", filter=is_started),
        bank=Count("pk", filter=~is_started),
        oldest=Min("created_at", filter=is_started),
    )
    refunds = Refund.objects.unfinished().aggregate(
        count=Count("pk"), oldest=Min("created_at")
    )
    return [
        Measure(
            "payments_unsettled",
            "Payments by what they wait for: the gateway's answer (unknown), or the"
            " owner's bank (bank).",
            {"unknown": unsettled["unknown"], "bank": unsettled["bank"]},
            "waits_for",
        ),
        single(
            "payments_unknown_oldest_seconds",
            "How long the outcome of the oldest such payment has been unknown.",
            age(unsettled["oldest"], now),
        ),
        single(
            "refunds_unknown",
            "Refunds whose outcome the gateway has not told.",
            refunds["count"],
        ),
        single(
            "refunds_unknown_oldest_seconds",
            "How long the outcome of the oldest such refund has been unknown.",
            age(refunds["oldest"], now),
        ),
    ]


@measures
def notices(now: dt.datetime) -> list[Measure]:
    """What the gateway told about payments that nobody here knows yet."""
    waiting = GatewayNotice.objects.filter(waiting__isnull=False)
    found = waiting.aggregate(count=Count("pk"), oldest=Min("received_at"))
    return [
        single(
            "gateway_notices_waiting",
            "Events of the gateway that wait for a payment nobody here knows.",
            found["count"],
        ),
        single(
            "gateway_notices_oldest_seconds",
            "How long the oldest of them has waited.",
            age(found["oldest"], now),
        ),
    ]
