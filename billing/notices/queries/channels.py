"""Channels and their deliveries as pages and the API read them. Never writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from accounts.models import Membership, Organization
from billing.models import Channel, ChannelDelivery, ChannelEvent, EventType
from config.kit.addresses import is_erased
from config.kit.errors import BusinessError

PAGE = 50
# People by number: id, email, name.
People = Mapping[int, dict[str, Any]]


class Which(StrEnum):
    """Which deliveries a list shows."""

    ALL = "all"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel with its last delivery that was tried, the last that was given up, and
    how many wait for it.
    """

    channel: Channel
    last: ChannelDelivery | None
    given_up: ChannelDelivery | None
    waiting: int


def channel_rows(organization: Organization) -> list[ChannelRow]:
    """All channels that nobody has removed, the oldest first; two queries."""
    tried = ChannelDelivery.objects.filter(
        channel=OuterRef("pk"), tried_at__isnull=False
    ).order_by("-tried_at", "-pk")
    given_up = (
        ChannelDelivery.objects.failed()
        .filter(channel=OuterRef("pk"))
        .exclude(event__type=EventType.TEST)
        .order_by("-failed_at", "-pk")
    )
    unfinished = Q(
        deliveries__isnull=False,
        deliveries__sent_at__isnull=True,
        deliveries__failed_at__isnull=True,
        deliveries__overtaken_at__isnull=True,
    )
    channels = list(
        Channel.objects.present()
        .filter(organization=organization)
        .annotate(
            last_id=Subquery(tried.values("pk")[:1]),
            given_up_id=Subquery(given_up.values("pk")[:1]),
            waiting=Count("deliveries", filter=unfinished),
        )
        .order_by("pk")
    )
    named = [
        (getattr(channel, "last_id", None), getattr(channel, "given_up_id", None))
        for channel in channels
    ]
    found = ChannelDelivery.objects.in_bulk({pk for pair in named for pk in pair if pk})
    return [
        ChannelRow(
            channel,
            last=found.get(last_id or 0),
            given_up=found.get(given_up_id or 0),
            waiting=getattr(channel, "waiting", 0),
        )
        for channel, (last_id, given_up_id) in zip(channels, named, strict=True)
    ]


def channel_by_id(organization: Organization, channel_id: int) -> Channel:
    """Raises BusinessError `channel_not_found` (404), also for a removed one."""
    channel = (
        Channel.objects.present()
        .filter(organization=organization, pk=channel_id)
        .select_related("organization")
        .first()
    )
    if channel is None:
        raise BusinessError(
            _("There is no channel “%(id)s” in this organization.")
            % {"id": channel_id},
            code="channel_not_found",
            status=404,
        )
    return channel


def deliveries_of(organization: Organization) -> QuerySet[ChannelDelivery]:
    """Every delivery of an organization, the newest first, those of removed channels as
    well.
    """
    return (
        ChannelDelivery.objects.filter(channel__organization=organization)
        .select_related("channel", "event", "event__notice")
        .order_by("-created_at", "-pk")
    )


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """How many deliveries there are, wait, and were given up."""

    all: int
    waiting: int
    failed: int


def delivery_counts(organization: Organization) -> DeliveryCounts:
    """How many deliveries there are, wait and failed."""
    of_organization = ChannelDelivery.objects.filter(channel__organization=organization)
    waiting = Q(sent_at__isnull=True, failed_at__isnull=True, overtaken_at__isnull=True)
    counts = of_organization.aggregate(
        all=Count("pk"),
        waiting=Count("pk", filter=waiting),
        failed=Count("pk", filter=Q(failed_at__isnull=False)),
    )
    return DeliveryCounts(**counts)


def deliveries_page(
    organization: Organization, *, which: Which, page: str | None
) -> Page[ChannelDelivery]:
    """50 deliveries; a page that there is not is the nearest there is."""
    found = deliveries_of(organization)
    if which is Which.WAITING:
        found = found.filter(
            sent_at__isnull=True, failed_at__isnull=True, overtaken_at__isnull=True
        )
    elif which is Which.FAILED:
        found = found.filter(failed_at__isnull=False)
    return Paginator(found, PAGE).get_page(page)


def people_of(events: Iterable[ChannelEvent]) -> dict[int, dict[str, Any]]:
    """Who stands in the payloads, by number; without those whose account was erased."""
    ids = {event.data["member"]["id"] for event in events if event.data.get("member")}
    if not ids:
        return {}
    members = Membership.objects.filter(pk__in=ids).select_related("user")
    return {
        member.pk: {
            "id": member.pk,
            "email": member.user.email,
            "name": str(member.user),
        }
        for member in members
        if not is_erased(member.user.email)
    }


def paused_by_failure(rows: Sequence[ChannelRow]) -> list[ChannelRow]:
    """Those that no owner paused."""
    return [row for row in rows if row.channel.paused_why not in ("", "owner")]
