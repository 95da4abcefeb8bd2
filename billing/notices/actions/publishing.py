"""Publishing events to channels (N3): rows in the transaction of the act in which
something happened. Nothing is sent here; a sweep finds what is due.

Amounts in payloads are decimal strings of USD as in the API: 9 places, caps 2.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from accounts.models import Membership, Organization
from billing.models import (
    BillingAccount,
    Channel,
    ChannelDelivery,
    ChannelEvent,
    EventType,
    Notice,
    NoticeKind,
)
from config.kit.dates import rfc3339
from config.kit.money import to_decimal_text

VERSION = 1


def publish(
    organization: Organization,
    event_type: EventType,
    *,
    key: str,
    data: dict[str, Any],
    now: dt.datetime,
    notice: Notice | None = None,
) -> list[int]:
    """Have an event sent to every channel that wants it, once a `key`; the ids of the
    deliveries that are due. Costs one query where no channel wants it.

    Called inside the transaction of the act. A person stands in `data` by
    `person(membership)`.
    """
    present = Channel.objects.present().filter(organization=organization)
    wanting = [channel for channel in present if channel.wants(event_type)]
    if not wanting:
        return []
    event = ChannelEvent(
        organization=organization,
        type=event_type,
        key=key,
        payload=_payload(organization, event_type, data, now=now),
        occurred_at=now,
        notice=notice,
    )
    # Whoever tells the same at once, or told it before, told it.
    ChannelEvent.objects.bulk_create([event], ignore_conflicts=True)
    event = ChannelEvent.objects.get(organization=organization, key=key)
    deliveries = [delivery_to(channel, event, now=now) for channel in wanting]
    ChannelDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    due = ChannelDelivery.objects.due(now).filter(event=event)
    return list(due.values_list("pk", flat=True))


def delivery_to(
    channel: Channel, event: ChannelEvent, *, now: dt.datetime
) -> ChannelDelivery:
    """A delivery that is due, or waits while its channel is paused; not yet written."""
    return ChannelDelivery(
        channel=channel,
        event=event,
        message_id=f"msg_{uuid.uuid4().hex}",
        created_at=now,
        next_try_at=now if channel.is_on else None,
    )


def test_event(organization: Organization, *, now: dt.datetime) -> ChannelEvent:
    """The event of a test, written."""
    data = {"sentence": "This is a test. Nothing happened."}
    return ChannelEvent.objects.create(
        organization=organization,
        type=EventType.TEST,
        key=f"test:{uuid.uuid4().hex}",
        payload=_payload(organization, EventType.TEST, data, now=now),
        occurred_at=now,
    )


def _payload(
    organization: Organization,
    event_type: EventType,
    data: dict[str, Any],
    *,
    now: dt.datetime,
) -> dict[str, Any]:
    return {
        "type": event_type.value,
        "version": VERSION,
        "timestamp": rfc3339(now),
        "organization": {"slug": organization.slug, "name": organization.name},
        "data": data,
    }


def person(membership: Membership | None) -> dict[str, int] | None:
    """A person in a payload: by their number; the rest is filled in when it is sent."""
    return None if membership is None else {"id": membership.pk}


def cap_usd(nanos: int | None) -> str | None:
    """A cap in a payload; None is unlimited."""
    return None if nanos is None else to_decimal_text(nanos, places=2)


# -- From notices --------------------------------------------------------------------------

_CAPS = {
    NoticeKind.ORGANIZATION_CAP: "organization",
    NoticeKind.SEAT_TIER_CAP: "seat_tier",
    NoticeKind.MEMBER_CAP: "member",
    NoticeKind.GROUP_CAP: "group",
}
_BALANCE = {
    NoticeKind.BALANCE_LOW: EventType.BALANCE_LOW,
    NoticeKind.BALANCE_EXHAUSTED: EventType.BALANCE_EXHAUSTED,
    NoticeKind.BALANCE_SHORT: EventType.BALANCE_SHORT,
}


def publish_notice(notice: Notice, *, now: dt.datetime) -> list[int]:
    """Tell channels of a notice, once; the ids of the deliveries that are due. That a
    channel was paused is told to people alone.
    """
    event = _of_notice(notice)
    if event is None or notice.overtaken_at is not None:
        return []
    event_type, data = event
    return publish(
        notice.organization,
        event_type,
        key=f"notice:{notice.pk}",
        data={**data, "month": f"{notice.month_on:%Y-%m}"},
        now=now,
        notice=notice,
    )


def _of_notice(notice: Notice) -> tuple[EventType, dict[str, Any]] | None:
    kind = NoticeKind(notice.kind)
    member = person(notice.membership)
    if kind in _CAPS:
        return EventType.CAP_THRESHOLD, {
            "level": _CAPS[kind],
            "percent": notice.percent,
            "cap_usd": cap_usd(notice.limit_nanos),
            "spent_usd": _usd(notice.spent_nanos),
            "member": member,
        }
    if kind == NoticeKind.SOFT_LIMIT:
        return EventType.SOFT_LIMIT, {
            "amount_usd": cap_usd(notice.limit_nanos or notice.edge),
            "spent_usd": _usd(notice.spent_nanos),
            "member": member,
        }
    if kind in (NoticeKind.INCLUDED_USAGE, NoticeKind.CHANGEOVER):
        return _of_window(notice, member)
    if kind in _BALANCE:
        return _BALANCE[kind], {"balance_usd": _balance_usd(notice)}
    return None


def _of_window(
    notice: Notice, member: dict[str, int] | None
) -> tuple[EventType, dict[str, Any]]:
    facts: dict[str, Any] = {
        "member": member,
        "window": notice.window or None,
        "resets_at": rfc3339(notice.resets_at),
    }
    if notice.kind == NoticeKind.CHANGEOVER:
        return EventType.CHANGEOVER, facts
    return EventType.INCLUDED_THRESHOLD, {**facts, "percent": notice.percent}


def _balance_usd(notice: Notice) -> str | None:
    account = BillingAccount.objects.filter(organization=notice.organization_id).first()
    return _usd(account.balance_nanos if account else None)


def _usd(nanos: int | None) -> str | None:
    return None if nanos is None else to_decimal_text(nanos)
