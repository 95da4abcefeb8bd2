"""What becomes of a delivery: claimed, arrived, tried again, given up, sent again (N3).

No transaction is open while the receiver is asked (`billing.notices.processing`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from http import HTTPStatus

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.models import (
    Channel,
    ChannelDelivery,
    EventType,
    Notice,
    NoticeKind,
    PausedWhy,
)
from billing.models.channels import ANSWER_LENGTH, ChannelDeliveryQuerySet
from billing.notices.actions.channels import hold, paused_subject
from billing.notices.actions.publishing import delivery_to, test_event
from config.kit.errors import BusinessError
from config.kit.one_line import shown_line

# Tests of an organization within a minute; at once fewer, since each holds a thread of
# the web server for as long as its receiver likes (ten seconds at most).
MOST_TESTS, MOST_TESTS_AT_ONCE = 10, 2
TESTS_WITHIN = dt.timedelta(minutes=1)
LONGEST_WAIT = dt.timedelta(hours=24)
# A failed try that took so long held a worker from others.
SLOW_MS = 2_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a try came to. `is_gone`: the receiver wants nothing any more; `wait`: how
    long it asks to be left alone.
    """

    is_success: bool
    is_gone: bool = False
    status: int | None = None
    fault: str = ""
    answer: str = ""
    took_ms: int = 0
    wait: dt.timedelta | None = None

    @property
    def in_short(self) -> str:
        """`410 Gone`; of no answer, its code."""
        if self.status is None:
            return self.fault
        known = self.status in HTTPStatus.__members__.values()
        return (
            f"{self.status} {HTTPStatus(self.status).phrase if known else ''}".strip()
        )


def claim_delivery(delivery_id: int, *, now: dt.datetime) -> ChannelDelivery | None:
    """The delivery, for the caller alone to try; None where it is finished, held, in
    other hands, or nothing is to be sent any more.

    Whether the channel is paused is looked at behind the claim: a condition across
    tables would be read from a row as it was before, and two could claim at once.
    """
    claimed = ChannelDelivery.objects.claim(delivery_id, now=now)
    if claimed is None:
        return None
    delivery = ChannelDelivery.objects.select_related(
        "channel__organization__primary_owner", "event__notice"
    ).get(pk=claimed.pk)
    unfinished = ChannelDelivery.objects.unfinished().filter(pk=delivery.pk)
    if _is_overtaken(delivery):
        unfinished.update(overtaken_at=now, tries=F("tries") - 1)
        return None
    if delivery.channel.paused_at is not None:
        unfinished.update(next_try_at=None, tries=F("tries") - 1)
        return None
    return delivery


def _is_overtaken(delivery: ChannelDelivery) -> bool:
    """A raise has overtaken what it tells, or its channel was removed."""
    if delivery.channel.removed_at is not None:
        return True
    notice = delivery.event.notice
    is_old = notice is not None and notice.overtaken_at is not None
    return is_old and delivery.resent_at is None


def settle_delivery(
    delivery: ChannelDelivery, outcome: Outcome, *, now: dt.datetime
) -> None:
    """Keep what a try came to: arrived; or tried again after a wait; or, after the last
    or where the receiver is gone, given up, its channel paused and owners told.

    A test is tried once and pauses nothing.
    """
    tried: dict[str, object] = {
        "status_code": outcome.status,
        "fault": outcome.fault,
        "answer": shown_line(outcome.answer)[:ANSWER_LENGTH],
        "took_ms": outcome.took_ms,
        "tried_at": now,
    }
    unfinished = ChannelDelivery.objects.unfinished().filter(pk=delivery.pk)
    is_last = delivery.tries > len(ChannelDeliveryQuerySet.waits)
    if outcome.is_success:
        unfinished.update(**tried, sent_at=now)
    elif delivery.event.type == EventType.TEST:
        unfinished.update(**tried, failed_at=now)
    elif outcome.is_gone or is_last:
        _give_up(delivery, outcome, tried, now=now)
    else:
        ChannelDelivery.objects.retry_later(delivery, now=now, **tried)
        if outcome.wait is not None:
            _wait_at_least(delivery, min(outcome.wait, LONGEST_WAIT), now=now)
        if outcome.took_ms >= SLOW_MS:
            _spare_others(delivery, now=now)


def _wait_at_least(
    delivery: ChannelDelivery, wait: dt.timedelta, *, now: dt.datetime
) -> None:
    """The receiver says when it takes something again."""
    ChannelDelivery.objects.unfinished().filter(
        pk=delivery.pk, next_try_at__lt=now + wait
    ).update(next_try_at=now + wait)


def _spare_others(delivery: ChannelDelivery, *, now: dt.datetime) -> None:
    """A receiver that lets us wait is asked once more, not for each event: what else is due
    to it waits as long as this one. It would hold a worker for seconds each, from mails
    and other receivers.
    """
    waits = ChannelDelivery.objects.filter(pk=delivery.pk).values_list("next_try_at")
    next_try_at = waits.get()[0]
    if next_try_at is None:
        return
    due = ChannelDelivery.objects.due(now).filter(channel=delivery.channel_id)
    due.update(next_try_at=next_try_at)


@transaction.atomic
def _give_up(
    delivery: ChannelDelivery,
    outcome: Outcome,
    tried: dict[str, object],
    *,
    now: dt.datetime,
) -> None:
    """Under the organization's lock, which owners who pause or resume it take too."""
    locked = lock_organization(delivery.channel.organization_id)
    unfinished = ChannelDelivery.objects.unfinished().filter(pk=delivery.pk)
    if not unfinished.update(**tried, failed_at=now):
        return
    channel = Channel.objects.get(pk=delivery.channel_id)
    if not channel.is_on:
        return
    hold(channel, PausedWhy.GONE if outcome.is_gone else PausedWhy.FAILED, now=now)
    record_change(
        locked,
        actor=Actor(label="delivery"),
        action="channel.pause",
        subject=channel.name,
        now=now,
    )
    _tell_owners(locked, channel, delivery, outcome, now=now)


def _tell_owners(
    locked: Organization,
    channel: Channel,
    delivery: ChannelDelivery,
    outcome: Outcome,
    *,
    now: dt.datetime,
) -> None:
    """A notice, which goes by page and mail; once until the channel is resumed."""
    notice = Notice(
        organization=locked,
        kind=NoticeKind.CHANNEL_PAUSED,
        subject=paused_subject(channel),
        edge=0,
        month_on=locked.calendar.month_at(now).first_on,
        facts={
            "channel": channel.name,
            "channel_id": channel.pk,
            "host": channel.host,
            "answer": outcome.in_short,
            "status": outcome.status,
            "fault": outcome.fault,
            "tries": delivery.tries,
        },
        created_at=now,
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)


def release_held(*, now: dt.datetime) -> int:
    """Let those go on that wait for no pause: an act read their channel as paused while
    somebody resumed it. How many.
    """
    held = ChannelDelivery.objects.unfinished().filter(
        next_try_at__isnull=True,
        channel__paused_at__isnull=True,
        channel__removed_at__isnull=True,
    )
    return held.update(next_try_at=now)


@transaction.atomic
def start_test(channel: Channel, *, now: dt.datetime) -> ChannelDelivery:
    """A test on its way, claimed by the caller; of a paused channel as well.

    Raises BusinessError `too_many_tests` (429), `channel_removed`.
    """
    locked = lock_organization(channel.organization_id)
    found = Channel.objects.present().filter(pk=channel.pk).first()
    if found is None:
        raise _removed()
    lately = ChannelDelivery.objects.filter(
        channel__organization=locked,
        event__type=EventType.TEST,
        created_at__gt=now - TESTS_WITHIN,
    )
    at_once = lately.unfinished().count()
    if lately.count() >= MOST_TESTS or at_once >= MOST_TESTS_AT_ONCE:
        raise BusinessError(
            _("Too many tests within a minute. Wait a minute and send the next one."),
            code="too_many_tests",
            status=429,
        )
    delivery = delivery_to(found, test_event(locked, now=now), now=now)
    delivery.tries = 1
    delivery.next_try_at = now + ChannelDeliveryQuerySet.claim_lasts
    delivery.save()
    return delivery


@transaction.atomic
def resend(
    delivery: ChannelDelivery, *, actor: Actor, now: dt.datetime
) -> ChannelDelivery:
    """Have a delivery sent once more, now, with the same message id.

    Raises BusinessError `channel_paused`, `channel_removed`, `on_its_way` for one that
    somebody may be sending just now, `only_once` for a test.
    """
    locked = lock_organization(delivery.channel.organization_id)
    current = (
        ChannelDelivery.objects.select_for_update(of=("self",), no_key=True)
        .select_related("channel", "event")
        .get(pk=delivery.pk)
    )
    _check_can_resend(current, now=now)
    current.sent_at = current.failed_at = current.overtaken_at = None
    current.tries, current.next_try_at, current.resent_at = 0, now, now
    current.save(
        update_fields=[
            "sent_at",
            "failed_at",
            "overtaken_at",
            "tries",
            "next_try_at",
            "resent_at",
        ]
    )
    record_change(
        locked,
        actor=actor,
        action="channel.resend",
        subject=current.channel.name,
        now=now,
        to_value={"type": current.event.type, "message_id": current.message_id},
    )
    return current


def _check_can_resend(delivery: ChannelDelivery, *, now: dt.datetime) -> None:
    channel = delivery.channel
    if channel.removed_at is not None:
        raise _removed()
    if channel.paused_at is not None:
        raise BusinessError(
            _("%(name)s is paused. Resume it, then send this again.")
            % {"name": channel.name},
            code="channel_paused",
        )
    if delivery.event.type == EventType.TEST:
        raise BusinessError(
            _("A test is sent once. Send another test."), code="only_once"
        )
    is_finished = delivery.sent_at or delivery.failed_at or delivery.overtaken_at
    soon = now + ChannelDeliveryQuerySet.claim_lasts
    if not is_finished and delivery.next_try_at and delivery.next_try_at <= soon:
        raise BusinessError(
            _("It is on its way: the next try is within a minute."), code="on_its_way"
        )


def _removed() -> BusinessError:
    return BusinessError(
        _("This channel has been removed."), code="channel_removed", status=404
    )
