"""Acme with extra usage on, whose seats include $1 a week and in a session."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine

from accounts.actions.audit import Actor
from accounts.models import Membership, Organization
from billing.metering.actions.recording import Recorded, record_usage
from billing.models import (
    Channel,
    ChannelDelivery,
    EventType,
    Notice,
    NoticeKind,
    SeatAllowance,
)
from billing.notices.actions.adding import add_channel
from billing.notices.actions.publishing import publish
from tests.billing.notices.receiver import Receiver, receiving
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def actor(alice):
    return Actor.person(alice.user)


@pytest.fixture
def extra(acme):
    """Nothing is included, so that all usage is extra, with a cap of $100 for all."""
    SeatAllowance.objects.filter(plan=acme.plan).delete()
    enable_extra_usage(acme, cap="100")


@pytest.fixture
def record(acme, now):
    def record(*events, at: dt.datetime = now) -> Recorded:
        return record_usage(events, organization_id=acme.pk, now=at)

    return record


@pytest.fixture
def told():
    """What was noticed, oldest first: (kind, subject, edge); only what is still true."""

    def told(*kinds: str, live: bool = True) -> list[tuple[str, str, int]]:
        notices = Notice.objects.order_by("pk")
        if live:
            notices = notices.live()
        if kinds:
            notices = notices.filter(kind__in=kinds)
        return list(notices.values_list("kind", "subject", "edge"))

    return told


def make_notice(
    organization: Organization,
    kind: str = NoticeKind.ORGANIZATION_CAP,
    *,
    member: Membership | None = None,
    percent: int | None = 75,
    now: dt.datetime = NOW,
    **extra: Any,
) -> Notice:
    """A crossing of `percent` of $1,600.00, in place of what was recorded."""
    limit = 1_600 * 10**9
    Notice.objects.filter(organization=organization, kind=kind).delete()
    return Notice.objects.create(
        **{
            "organization": organization,
            "membership": member,
            "kind": kind,
            "subject": f"member:{member.pk}" if member else "organization",
            "edge": percent or 0,
            "percent": percent,
            "month_on": organization.calendar.month_at(now).first_on,
            "limit_nanos": limit,
            "spent_nanos": limit * (percent or 0) // 100,
            "created_at": now,
            **extra,
        }
    )


ALICE = Actor(label="alice")


@pytest.fixture
def clock():
    """The time of the doors, that moves."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def receiver(settings, clock):
    """A receiver inside, which the setting allows."""
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    with receiving() as found:
        yield found


def added(acme, url: str, kind: str = "webhook", **extra) -> tuple[Channel, str]:
    return add_channel(
        acme, kind=kind, name="Usage", url=url, actor=ALICE, now=NOW, **extra
    )


@pytest.fixture
def channel(acme, receiver: Receiver) -> Channel:
    """A webhook for everything."""
    return added(acme, receiver.url)[0]


def published(acme, key: str = "switch:1", now: dt.datetime = NOW) -> ChannelDelivery:
    """The delivery of an event."""
    data = {"enabled": True, "scope": "everyone"}
    publish(acme, EventType.SWITCHED, key=key, data=data, now=now)
    return ChannelDelivery.objects.get(event__key=key)


def fresh(delivery: ChannelDelivery) -> ChannelDelivery:
    return ChannelDelivery.objects.select_related("channel").get(pk=delivery.pk)
