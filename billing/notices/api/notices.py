"""Notices by API, with what each delivery did. Scope `read`."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from ninja import Query, Router

from accounts.api_access import KeyAuth, organization_of
from accounts.models import Scope
from billing.models import ChannelDelivery, DeliveryChannel, Notice, NoticeDelivery
from billing.notices.queries.month import DeliveryState, notices_in, state_of
from billing.notices.schemas import Kind, NoticeList
from config.kit.api import ERRORS
from config.kit.cursors import bad_cursor, cursor_of, keys_of
from config.kit.dates import rfc3339
from config.kit.errors import BusinessError
from config.kit.money import to_decimal_text
from config.kit.months import month_from_text

router = Router(tags=["Reading"], auth=KeyAuth(Scope.READ))
PAGE = 100


@router.get(
    "/notices",
    response={200: NoticeList, **ERRORS},
    summary="Notices, newest first",
)
def notices(
    request: HttpRequest,
    month: Annotated[
        str | None, Query(description="A month, such as 2026-11.", max_length=10)
    ] = None,
    kind: Kind | None = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """Who was told of which limit; pages of 100."""
    organization = organization_of(request)
    found: QuerySet[Notice] = Notice.objects.filter(organization=organization)
    if month is not None:
        found = notices_in(organization, organization.calendar.month(_month(month)))
    if kind is not None:
        found = found.filter(kind=kind)
    if cursor is not None:
        at, pk = _keys(cursor)
        found = found.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
    deliveries = NoticeDelivery.objects.select_related(
        "membership__user", "mail"
    ).order_by("pk")
    found = found.order_by("-created_at", "-pk").prefetch_related(
        Prefetch("deliveries", queryset=deliveries)
    )
    with_next = list(found[: PAGE + 1])
    page = with_next[:PAGE]
    has_more = len(with_next) > PAGE
    outside = _to_channels(page)
    return {
        "results": [
            notice_json(notice, outside[notice.pk], slug=organization.slug)
            for notice in page
        ],
        "next_cursor": cursor_of([page[-1].created_at.isoformat(), page[-1].pk])
        if has_more
        else None,
    }


def _month(typed: str) -> dt.date:
    """The month that was asked for. Raises BusinessError (422)."""
    first_on = month_from_text(typed)
    if first_on is None:
        raise BusinessError(
            "The month has to be written like 2026-11.",
            code="bad_month",
            status=422,
            field="month",
        )
    return first_on


def _keys(cursor: str) -> tuple[dt.datetime, int]:
    """Where a page goes on. Raises BusinessError (422)."""
    written_at, written_pk = keys_of(cursor, count=2)
    try:
        at, pk = dt.datetime.fromisoformat(written_at), int(written_pk)
    except ValueError:
        raise bad_cursor() from None
    if at.tzinfo is None or not 0 < pk < 2**63:
        raise bad_cursor()
    return at, pk


def _to_channels(page: list[Notice]) -> dict[int, list[ChannelDelivery]]:
    """What went to Slack and webhooks, by notice, in one query."""
    found = (
        ChannelDelivery.objects.filter(event__notice__in=page)
        .select_related("channel", "event")
        .order_by("pk")
    )
    by_notice: dict[int, list[ChannelDelivery]] = defaultdict(list)
    for delivery in found:
        by_notice[delivery.event.notice_id or 0].append(delivery)
    return by_notice


def notice_json(
    notice: Notice, outside: Iterable[ChannelDelivery], *, slug: str
) -> dict[str, Any]:
    """One notice as the API writes it."""
    limit = notice.limit_nanos
    return {
        "id": notice.pk,
        "kind": notice.kind,
        "percent": notice.percent,
        "amount_usd": None if limit is None else to_decimal_text(limit, places=2),
        "subject": _subject(notice, slug=slug),
        "month": f"{notice.month_on:%Y-%m}",
        "created_at": rfc3339(notice.created_at),
        "overtaken_at": rfc3339(notice.overtaken_at),
        "deliveries": [
            *(_delivery(notice, one) for one in notice.deliveries.all()),
            *(_channel_delivery(one) for one in outside),
        ],
    }


def _subject(notice: Notice, *, slug: str) -> dict[str, Any]:
    if notice.membership_id is not None:
        return {"type": "member", "id": notice.membership_id}
    kind, _colon, number = notice.subject.partition(":")
    if kind == "group":
        return {"type": "group", "id": int(number)}
    return {"type": "organization", "id": slug}


def _delivery(notice: Notice, delivery: NoticeDelivery) -> dict[str, Any]:
    member, mail = delivery.membership, delivery.mail
    state = state_of(notice, delivery)
    at = delivery.created_at
    if mail is not None and delivery.channel == DeliveryChannel.MAIL:
        at = mail.sent_at or mail.dropped_at or mail.next_try_at
    if state is DeliveryState.OVERTAKEN and notice.overtaken_at:
        at = notice.overtaken_at
    return {
        "channel": delivery.channel,
        "to": member.user.email if member else delivery.address,
        "status": state.value,
        "tries": mail.attempts if mail else 0,
        "at": rfc3339(at),
    }


def _channel_delivery(delivery: ChannelDelivery) -> dict[str, Any]:
    ended = {
        DeliveryState.SENT: delivery.sent_at,
        DeliveryState.FAILED: delivery.failed_at,
        DeliveryState.OVERTAKEN: delivery.overtaken_at,
    }
    state = next((one for one, at in ended.items() if at), DeliveryState.WAITING)
    return {
        "channel": delivery.channel.kind,
        "to": delivery.channel.name,
        "status": state.value,
        "tries": delivery.tries,
        "at": rfc3339(ended.get(state) or delivery.next_try_at),
    }
