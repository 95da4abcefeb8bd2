"""All notices of a month, with what each delivery did. Read-only.

A notice that nobody was told of is in the list too: with one row, and without delivery.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count, Q, QuerySet

from accounts.models import Organization
from billing.models import DeliveryChannel, Notice, NoticeDelivery
from config.kit.months import Month

# A late event counts to its month until that is closed.
LATE = dt.timedelta(days=40)
EARLY = dt.timedelta(days=1)


class DeliveryState(StrEnum):
    """What became of a delivery, as the page filters by it and the API says it."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    OVERTAKEN = "overtaken"


# By a notice joined with its deliveries and their mails.
IS_MAIL = Q(deliveries__channel=DeliveryChannel.MAIL)
IS_WAITING = Q(overtaken_at__isnull=True) & (
    Q(told_at__isnull=True)
    | IS_MAIL
    & Q(
        deliveries__mail__isnull=False,
        deliveries__mail__sent_at__isnull=True,
        deliveries__mail__dropped_at__isnull=True,
    )
)
HAS_FAILED = (
    IS_MAIL
    & Q(deliveries__mail__dropped_at__isnull=False, deliveries__mail__attempts__gt=0)
    & ~Q(deliveries__mail__last_error="")
)
STATES = {DeliveryState.WAITING: IS_WAITING, DeliveryState.FAILED: HAS_FAILED}


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A notice, and one delivery of it; None where there is none."""

    notice: Notice
    delivery: NoticeDelivery | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many notices, and how many rows in all and by what became of them."""

    notices: int
    all: int
    waiting: int
    failed: int


def notices_in(organization: Organization, month: Month) -> QuerySet[Notice]:
    """An organization's notices of a month, newest first."""
    return Notice.objects.filter(
        organization=organization,
        month_on=month.first_on,
        created_at__range=(month.start - EARLY, month.end + LATE),
    ).order_by("-created_at", "-pk")


def counts_in(organization: Organization, month: Month) -> Counts:
    """What a month has, in one query."""
    found: dict[str, int] = notices_in(organization, month).aggregate(
        notices=Count("pk", distinct=True),
        rows=Count("*"),
        waiting=Count("*", filter=IS_WAITING),
        failed=Count("*", filter=HAS_FAILED),
    )
    return Counts(found["notices"], found["rows"], found["waiting"], found["failed"])


def row_keys(
    organization: Organization, month: Month, state: str = ""
) -> QuerySet[Notice, tuple[int, int | None]]:
    """The rows of a month by the ids of notice and delivery, for pages of them."""
    found = notices_in(organization, month)
    if state in STATES:
        found = found.filter(STATES[DeliveryState(state)])
    return found.order_by("-created_at", "-pk", "deliveries__pk").values_list(
        "pk", "deliveries__pk"
    )


def rows_of(keys: Sequence[tuple[int, int | None]]) -> list[DeliveryRow]:
    """The rows with these ids, in their order, in two queries."""
    notices = _by_pk(
        Notice.objects.select_related("organization", "membership__user"),
        [notice_id for notice_id, _delivery_id in keys],
    )
    deliveries = _by_pk(
        NoticeDelivery.objects.select_related("membership__user", "mail"),
        [delivery_id for _notice_id, delivery_id in keys if delivery_id],
    )
    return [
        DeliveryRow(notices[notice_id], deliveries.get(delivery_id or 0))
        for notice_id, delivery_id in keys
    ]


def _by_pk(rows: QuerySet[Any], pks: list[int]) -> dict[int, Any]:
    return {row.pk: row for row in rows.filter(pk__in=pks)} if pks else {}


def state_of(notice: Notice, delivery: NoticeDelivery) -> DeliveryState:
    """What became of one delivery. What was not sent before the notice was overtaken is
    not sent.
    """
    mail = delivery.mail
    if delivery.channel == DeliveryChannel.PAGE or (mail and mail.sent_at):
        return DeliveryState.SENT
    if mail and mail.dropped_at and mail.attempts and mail.last_error:
        return DeliveryState.FAILED
    if notice.overtaken_at or mail is None or mail.dropped_at:
        return DeliveryState.OVERTAKEN
    return DeliveryState.WAITING
