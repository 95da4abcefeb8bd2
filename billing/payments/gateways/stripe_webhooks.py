"""Webhooks as Stripe signs them: https://docs.stripe.com/webhooks#verify-manually.

The signature is checked by Stripe's own client; whatever it signed is then read as
strictly as what strangers send.
"""

from __future__ import annotations

import re
import time
from typing import Any

import stripe

from billing.payments.gateways.base import (
    ForgedEvent,
    GatewayEvent,
    UnreadableEvent,
)
from billing.payments.gateways.stripe_answers import event_of
from config.kit.strict_json import loads

# How far the signature's moment may lie from ours; Stripe's client looks at the past alone.
TOLERANCE_SECONDS = 300
# As long as we keep them, and longer than Stripe's are.
ID, TYPE = re.compile(r"[\x21-\x7e]{1,100}"), re.compile(r"[a-z0-9_.]{1,80}")
# What reading an object raises that has not the shape Stripe documents.
MISSHAPEN = (AttributeError, KeyError, TypeError, ValueError, OverflowError)


def read_webhook(body: bytes, signature: str, *, secret: str) -> GatewayEvent:
    """The event in a webhook.

    Raises ForgedEvent where the signature is not Stripe's or not of now, UnreadableEvent
    where what was signed is no event.
    """
    _verify(body, signature, secret=secret)
    try:
        values = loads(body)
        _check_envelope(values)
        return event_of(stripe.Event.construct_from(values, None))
    except MISSHAPEN as error:
        raise UnreadableEvent(f"{type(error).__name__}: {error}"[:300]) from error


def _verify(body: bytes, signature: str, *, secret: str) -> None:
    if not secret or not signature.isascii():
        raise ForgedEvent
    try:
        stripe.WebhookSignature.verify_header(
            body, signature, secret, tolerance=TOLERANCE_SECONDS
        )
        signed_at = _signed_at(signature)
    except (ValueError, stripe.SignatureVerificationError) as error:
        raise ForgedEvent from error
    if signed_at > time.time() + TOLERANCE_SECONDS:
        raise ForgedEvent


def _signed_at(signature: str) -> int:
    """The moment in seconds of the epoch, found as Stripe's client finds it."""
    parts = [part.split("=", 2) for part in signature.split(",")]
    return int(next(part[1] for part in parts if part[0] == "t"))


def _check_envelope(values: Any) -> None:
    """Raises ValueError for what has not an id, a type and an object."""
    if not isinstance(values, dict):
        raise ValueError("An event is a JSON object.")
    for name, pattern in (("id", ID), ("type", TYPE)):
        value = values.get(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"The event's {name} is missing, too long or not plain.")
    data = values.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("object"), dict):
        raise ValueError("The event is about nothing.")
