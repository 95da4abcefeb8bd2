"""Sending deliveries to channels (N3): claim, write, ask, keep the answer. A door: it
reads the clock and talks to the outside, never inside a transaction.

A worker that dies between claim and mark leaves a delivery that is due again once its
claim ends, with the same message id.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import structlog
from django.conf import settings
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from accounts.sealing import NotSealed, opened
from billing.models import Channel, ChannelDelivery, ChannelKind
from billing.notices.actions.channels import PURPOSE
from billing.notices.actions.deliveries import (
    Outcome,
    claim_delivery,
    settle_delivery,
    start_test,
)
from billing.notices.queries.channels import people_of
from billing.notices.words.messages import slack_body, webhook_body
from config.kit.outgoing import Answer, Fault, post
from config.kit.web_addresses import AddressRefused, parse_web_address

log = structlog.get_logger(__name__)
GONE = 410
# What Slack answers where the webhook or its place is no more, also behind a 404.
SLACK_GONE = frozenset({404, GONE})
BUSY = frozenset({429, 503})
SEALED_FAULT = "sealed"  # no key of ours opens the address or the secret


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted."""

    body: bytes
    headers: dict[str, str]


def deliver(delivery_id: int) -> bool | None:
    """Try one delivery that is due; whether it arrived. None where it is finished, held
    or in other hands.

    Whatever the receiver answers is kept in the row; nothing is raised for it.
    """
    delivery = claim_delivery(delivery_id, now=timezone.now())
    return None if delivery is None else _try(delivery)


def send_test(channel: Channel, *, now: dt.datetime) -> ChannelDelivery:
    """Send a test at once, with the limits of every try; the delivery with its answer.

    Raises what `start_test` raises.
    """
    delivery = start_test(channel, now=now)
    _try(delivery)
    return ChannelDelivery.objects.select_related("channel", "event").get(
        pk=delivery.pk
    )


def _try(delivery: ChannelDelivery) -> bool:
    outcome = _ask(delivery)
    settle_delivery(delivery, outcome, now=timezone.now())
    log.info(
        "channel.tried",
        delivery=delivery.pk,
        channel=delivery.channel_id,
        status=outcome.status,
        fault=outcome.fault,
        took_ms=outcome.took_ms,
    )
    return outcome.is_success


def _ask(delivery: ChannelDelivery) -> Outcome:
    channel = delivery.channel
    inside = settings.WEBHOOKS_ALLOW_PRIVATE
    try:
        message = _message(delivery, now=timezone.now())
        # Looked at each time: what the setting allowed once, it may not allow now.
        address = parse_web_address(
            opened(channel.sealed_url, purpose=PURPOSE), is_inside_allowed=inside
        )
    except NotSealed:
        return Outcome(False, fault=SEALED_FAULT)
    except AddressRefused:
        return Outcome(False, fault=Fault.PRIVATE)
    answer = post(
        address,
        headers=message.headers,
        body=message.body,
        is_inside_allowed=inside,
    )
    return _outcome(channel, answer)


def _outcome(channel: Channel, answer: Answer) -> Outcome:
    is_slack = channel.kind == ChannelKind.SLACK
    is_success = answer.is_success
    if is_slack:
        is_success = answer.status == 200 and answer.text.strip() == "ok"
    return Outcome(
        is_success,
        is_gone=answer.status in SLACK_GONE if is_slack else answer.status == GONE,
        status=answer.status,
        fault=answer.fault,
        answer=answer.text,
        took_ms=answer.took_ms,
        wait=_wait(answer) if answer.status in BUSY else None,
    )


def _wait(answer: Answer) -> dt.timedelta | None:
    """`Retry-After`: seconds, or a date."""
    text = answer.retry_after.strip()
    if text.isascii() and text.isdecimal():
        return dt.timedelta(seconds=min(int(text[:9]), 86_400))
    try:
        moment = parsedate_to_datetime(text)
    # a year that no calendar has overflows
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(moment - timezone.now(), dt.timedelta())


def _message(delivery: ChannelDelivery, *, now: dt.datetime) -> Message:
    channel, event = delivery.channel, delivery.event
    people = people_of([event])
    headers = {"Content-Type": "application/json"}
    if channel.kind == ChannelKind.SLACK:
        language = channel.organization.primary_owner.language
        return Message(slack_body(event, people, language=language), headers)
    body = webhook_body(event, people)
    return Message(body, headers | _signed(delivery, body, now=now))


def _signed(
    delivery: ChannelDelivery, body: bytes, *, now: dt.datetime
) -> dict[str, str]:
    """The headers of Standard Webhooks; after a rotation both secrets sign for a while."""
    channel = delivery.channel
    sealed = [channel.sealed_secret]
    until = channel.old_secret_until
    if channel.sealed_old_secret and until is not None and now < until:
        sealed.append(channel.sealed_old_secret)
    second = now.astimezone(dt.UTC).replace(microsecond=0)
    signatures = [
        Webhook(opened(one, purpose=PURPOSE)).sign(
            delivery.message_id, second, body.decode()
        )
        for one in sealed
    ]
    return {
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(second.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
