"""S34: whatever comes to the webhook is answered 200 or 400, never 500: also what is signed
and no event, and what was signed for another moment.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from billing.models import GatewayNotice
from tests.billing.payments.gateways.conftest import SECRET
from tests.billing.payments.gateways.stripe_server import signature

WEBHOOK = "/webhooks/stripe/"
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.created",
    "created": 1_700_000_000,
    "livemode": False,
    "data": {"object": {"id": "cus_1", "object": "customer"}},
}
TYPES = [
    "payment_intent.succeeded",
    "refund.updated",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "invoice.paid",
    "invoice_payment.paid",
]


def post(client, body: bytes, *, at: int | None = None) -> int:
    """The status of a webhook with the right signature."""
    headers = {"Stripe-Signature": signature(body, SECRET, at=at)}
    return client.post(
        WEBHOOK, body, content_type="application/json", headers=headers
    ).status_code


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"null",
        b'"evt_1"',
        b"",
        b"\xff",
        b"[" * 100_000,
        b'{"id": "evt_1", "id": "evt_2"}',
        *(
            json.dumps(EVENT | changed).encode()
            for changed in (
                {"id": "e" * 300},
                {"id": ""},
                {"id": None},
                {"id": 7.5},
                {"id": "evt\x00"},
                {"id": "evt 1"},
                {"type": None},
                {"type": "x" * 81},
                {"type": ["invoice.paid"]},
                {"data": None},
                {"data": {}},
                {"data": {"object": []}},
                {"data": {"object": "cus_1"}},
            )
        ),
        json.dumps({name: EVENT[name] for name in ("id", "data")}).encode(),
    ],
)
def test_s34_signed_nonsense_is_refused_and_not_kept(db, at_stripe, client, body):
    assert post(client, body) == 400
    assert not GatewayNotice.objects.exists()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    "about",
    [
        {},
        {"id": None},
        {"id": 7, "payment_intent": 7, "customer": 7, "metadata": 7, "status": 7},
        {"id": "x", "amount": "a lot", "amount_refunded": "all", "currency": 7},
        {"id": "x", "amount": 2**62, "amount_refunded": 2**62, "created": 2**62},
        {"id": "x" * 500, "payment_intent": "p" * 500, "reason": "r" * 500},
        {"id": "x", "metadata": {"payment_key": ["k"], "refund_key": {"k": 1}}},
        {"id": "x", "payments": {"data": 7}, "evidence_details": 7, "invoice": []},
    ],
)
def test_s34_an_object_of_another_shape_is_no_failure_of_ours(
    db, at_stripe, client, kind, about
):
    event = EVENT | {"type": kind, "data": {"object": about}}
    assert post(client, json.dumps(event).encode()) in (200, 400)


@pytest.mark.parametrize("seconds", [-3_600, 900, 10**12])
def test_s34_a_signature_of_another_moment_is_forged(db, at_stripe, client, seconds):
    body = json.dumps(EVENT).encode()
    assert post(client, body, at=int(time.time()) + seconds) == 400
    assert post(client, body, at=int(time.time()) + 60) == 200


@pytest.mark.parametrize(
    "header", ["", "t=,v1=", "t=1,v1=é", "v1=x", "t=" + "9" * 5000 + ",v1=x", ",", "="]
)
def test_s34_a_signature_that_is_none_is_forged(db, at_stripe, client, header):
    answer = client.post(
        WEBHOOK,
        json.dumps(EVENT),
        content_type="application/json",
        headers={"Stripe-Signature": header.encode().decode("latin-1")},
    )
    assert answer.status_code == 400
