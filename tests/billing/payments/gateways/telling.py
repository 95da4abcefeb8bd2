"""Playing Stripe's side towards us: its webhooks."""

from __future__ import annotations

import json

from tests.billing.payments.gateways.conftest import SECRET
from tests.billing.payments.gateways.stripe_server import signature

WEBHOOK = "/webhooks/stripe/"


def tell(client, *notices):
    """Post webhooks as Stripe would; each is answered 200."""
    for notice in notices:
        body = json.dumps(notice).encode()
        headers = {"Stripe-Signature": signature(body, SECRET)}
        answer = client.post(
            WEBHOOK, body, content_type="application/json", headers=headers
        )
        assert answer.status_code == 200


def dispute_and(stripe, payment, outcome, *, cents=10_000):
    """All events of a dispute that ends so."""
    events = stripe.outside.dispute(payment.gateway_id, cents)
    [dispute_id] = stripe.outside.disputes
    return events + stripe.outside.close(dispute_id, outcome)
