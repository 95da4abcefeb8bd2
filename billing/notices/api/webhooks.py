"""Channels by API (N3): the same acts, audit and errors as the page. Scope `read` to read,
`manage` to change. A secret is in the answer that makes it and in no other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Body, Path, Router, Schema, Status
from pydantic import ConfigDict, Field, StrictBool, StrictStr

from accounts.actions.audit import Actor
from accounts.api_access import KeyAuth, organization_of
from accounts.models import Scope
from billing.models import CHOSEN_TYPES, Channel, ChannelDelivery, ChannelKind
from billing.notices import processing
from billing.notices.actions.adding import add_channel
from billing.notices.actions.channels import (
    change_channel,
    pause_channel,
    remove_channel,
    resume_channel,
    rotate_secret,
)
from billing.notices.queries.channels import channel_by_id, channel_rows
from billing.notices.tasks import send_due_deliveries
from config.kit.api import ERRORS, at_most
from config.kit.errors import BusinessError
from config.kit.jobs import enqueue
from config.kit.limits import TooManyCalls

router = Router()
RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Events = Annotated[
    list[StrictStr],
    at_most(100),
    Field(
        description="Types of events; an empty list is all, also those added later.",
        examples=[["cap.threshold_reached", "invoice.issued"]],
    ),
]
TESTS, TEST_SECONDS = "tests", 60


class WebhookIn(Schema):
    """A new channel: a signed webhook, or an incoming webhook of Slack."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "url": "https://hooks.acme.example/usage",
                "name": "Usage",
                "events": ["cap.threshold_reached", "balance.exhausted"],
            }
        },
    )

    url: StrictStr
    name: StrictStr = ""
    kind: Literal["webhook", "slack"] = "webhook"
    events: Events = []


class WebhookPatch(Schema):
    """What is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"paused": True}}
    )

    name: StrictStr | None = None
    events: Events | None = None
    paused: StrictBool | None = None


class WebhookOut(Schema):
    """A channel; of its address the host and the last four letters."""

    id: int
    kind: str
    name: str
    host: str
    url_end: str
    events: list[str]
    paused: bool
    paused_why: str | None
    secret_made_at: datetime | None
    created_at: datetime
    waiting: int


class WebhookMade(WebhookOut):
    """With its signing secret, this once; null for Slack."""

    secret: str | None


class WebhookList(Schema):
    results: list[WebhookOut]
    # The types of events there are.
    events: list[str]


class TestOut(Schema):
    """What the receiver answered; `fault` where it did not."""

    arrived: bool
    status: int | None
    fault: str | None
    answer: str
    took_ms: int
    message_id: str


def _actor(request: HttpRequest) -> Actor:
    return Actor(label=f"API key {request.auth.name}")  # type: ignore[attr-defined]


def _json(channel: Channel, *, waiting: int) -> dict[str, Any]:
    return {
        "id": channel.pk,
        "kind": channel.kind,
        "name": channel.name,
        "host": channel.host,
        "url_end": channel.url_end,
        "events": channel.events,
        "paused": channel.paused_at is not None,
        "paused_why": channel.paused_why or None,
        "secret_made_at": channel.secret_made_at,
        "created_at": channel.created_at,
        "waiting": waiting,
    }


def _with_waiting(channel: Channel) -> dict[str, Any]:
    waiting = ChannelDelivery.objects.unfinished().filter(channel=channel).count()
    return _json(channel, waiting=waiting)


@router.get(
    "/webhooks",
    auth=KeyAuth(Scope.READ),
    tags=["Reading"],
    response={200: WebhookList, **ERRORS},
    summary="Channels that events are sent to",
)
def webhooks(request: HttpRequest) -> dict[str, Any]:
    """All of them, the oldest first; there are ten at most."""
    rows = channel_rows(organization_of(request))
    return {
        "results": [_json(row.channel, waiting=row.waiting) for row in rows],
        "events": list(CHOSEN_TYPES),
    }


@router.post(
    "/webhooks",
    auth=KeyAuth(Scope.MANAGE),
    tags=["Managing"],
    response={201: WebhookMade, **ERRORS},
    summary="Add a webhook or a Slack channel",
)
def add_webhook(
    request: HttpRequest, payload: Body[WebhookIn]
) -> Status[dict[str, Any]]:
    """The answer has the signing secret, which nobody can read again. Addresses are
    public and begin with https, unless the installation allows others.
    """
    channel, secret = add_channel(
        organization_of(request),
        kind=ChannelKind(payload.kind),
        name=payload.name,
        url=payload.url,
        events=payload.events,
        actor=_actor(request),
        now=timezone.now(),
    )
    made = {**_json(channel, waiting=0), "secret": secret or None}
    return Status(201, made)


@router.patch(
    "/webhooks/{id}",
    auth=KeyAuth(Scope.MANAGE),
    tags=["Managing"],
    response={200: WebhookOut, **ERRORS},
    summary="Rename a channel, choose its events, pause or resume it",
)
def change_webhook(
    request: HttpRequest, id: RowId, payload: Body[WebhookPatch]
) -> dict[str, Any]:
    """What waited while it was paused is sent when it is resumed. The address can't be
    changed: add another one.
    """
    channel, now = channel_by_id(organization_of(request), id), timezone.now()
    actor = _actor(request)
    if payload.name is not None or payload.events is not None:
        channel = change_channel(
            channel,
            name=channel.name if payload.name is None else payload.name,
            events=channel.events if payload.events is None else payload.events,
            actor=actor,
            now=now,
        )
    if payload.paused is True:
        channel = pause_channel(channel, actor=actor, now=now)
    elif payload.paused is False:
        channel = resume_channel(channel, actor=actor, now=now)
        enqueue(send_due_deliveries)
    return _with_waiting(channel)


@router.delete(
    "/webhooks/{id}",
    auth=KeyAuth(Scope.MANAGE),
    tags=["Managing"],
    response={204: None, **ERRORS},
    summary="Remove a channel",
)
def remove_webhook(request: HttpRequest, id: RowId) -> Status[None]:
    """Nothing is sent there any more, also not what waits; its address and secret are
    deleted.
    """
    channel = channel_by_id(organization_of(request), id)
    remove_channel(channel, actor=_actor(request), now=timezone.now())
    return Status(204, None)


@router.post(
    "/webhooks/{id}/rotate",
    auth=KeyAuth(Scope.MANAGE),
    tags=["Managing"],
    response={200: WebhookMade, **ERRORS},
    summary="Make a new signing secret",
)
def rotate_webhook(request: HttpRequest, id: RowId) -> dict[str, Any]:
    """For 24 hours each message is signed with both secrets."""
    channel = channel_by_id(organization_of(request), id)
    secret = rotate_secret(channel, actor=_actor(request), now=timezone.now())
    channel.refresh_from_db()
    return {**_with_waiting(channel), "secret": secret}


@router.post(
    "/webhooks/{id}/test",
    auth=KeyAuth(Scope.MANAGE),
    tags=["Managing"],
    response={200: TestOut, **ERRORS},
    summary="Send a test",
)
def test_webhook(request: HttpRequest, id: RowId) -> dict[str, Any]:
    """An event `channel.test`, sent at once and tried once; the answer is the receiver's.
    At most ten a minute.
    """
    channel = channel_by_id(organization_of(request), id)
    try:
        delivery = processing.send_test(channel, now=timezone.now())
    except BusinessError as error:
        if error.code == "too_many_tests":
            raise TooManyCalls(TESTS, seconds=TEST_SECONDS) from error
        raise
    return {
        "arrived": delivery.sent_at is not None,
        "status": delivery.status_code,
        "fault": delivery.fault or None,
        "answer": delivery.answer,
        "took_ms": delivery.took_ms or 0,
        "message_id": delivery.message_id,
    }
