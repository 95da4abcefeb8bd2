"""Channels and deliveries in words, in the active language: what goes there, its state,
and what the receiver answered.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from http import HTTPStatus

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import (
    Channel,
    ChannelDelivery,
    ChannelKind,
    EventType,
    PausedWhy,
)
from billing.notices.queries.channels import ChannelRow, People
from billing.notices.words.events import event_title
from config.kit.dates import dated_day_text, moment_label, time_text
from config.kit.months import local_day
from config.kit.outgoing import TOTAL_SECONDS, Fault


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """What became of a delivery; `style` is a name of our styles: nothing (arrived),
    `paused` (failed) or `off` (waits, or was not sent).
    """

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class ChannelWords:
    """One row of the table of channels."""

    row: ChannelRow
    icon: str
    address: str
    events: str
    last: str
    state: str
    style: str


@dataclass(frozen=True, slots=True)
class DeliveryWords:
    """One row of the table of deliveries."""

    delivery: ChannelDelivery
    time: str
    title: str
    answer: AnswerWords
    can_resend: bool


def events_text(channel: Channel) -> str:
    """`Everything, 18 kinds`, or the first two chosen and how many more."""
    count = len(channel.events)
    if not count:
        return _("Everything")
    labels = [str(EventType(one).label) for one in channel.events[:2]]
    more = count - len(labels)
    text = "; ".join(labels)
    if not more:
        return text
    return ngettext(
        "%(events)s, and %(more)d more", "%(events)s, and %(more)d more", more
    ) % {"events": text, "more": more}


def state_text(channel: Channel) -> str:
    """On, or why it is paused."""
    if channel.paused_at is None:
        return _("On")
    return str(PausedWhy(channel.paused_why).label)


def channel_words(row: ChannelRow, *, zone: str, now: dt.datetime) -> ChannelWords:
    """One channel, times in the organization's zone."""
    channel = row.channel
    is_slack = channel.kind == ChannelKind.SLACK
    address = channel.shown_address
    if channel.secret_made_at is not None:
        address = _("%(address)s; signed, secret made %(day)s") % {
            "address": address,
            "day": dated_day_text(local_day(channel.secret_made_at, zone)),
        }
    return ChannelWords(
        row,
        icon="hash" if is_slack else "webhook",
        address=address,
        events=events_text(channel),
        last=_last_text(row.last, zone=zone, now=now),
        state=state_text(channel),
        style="" if channel.is_on else "paused",
    )


def _last_text(delivery: ChannelDelivery | None, *, zone: str, now: dt.datetime) -> str:
    if delivery is None or delivery.tried_at is None:
        return _("Nothing yet")
    moment = moment_label(delivery.tried_at, zone=zone, now=now)
    if delivery.sent_at is not None:
        return moment
    return _("%(moment)s, %(answer)s") % {
        "moment": moment,
        "answer": status_text(delivery),
    }


def status_text(delivery: ChannelDelivery) -> str:
    """`410 Gone`, or why there was no answer."""
    status = delivery.status_code
    if status is None:
        return fault_text(delivery.fault)
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def fault_text(fault: str) -> str:
    """Why there was no answer."""
    return {
        Fault.NAME: _("the name was not found"),
        Fault.PRIVATE: _("the address leads into a private network"),
        Fault.CONNECT: _("nobody answered there"),
        Fault.TLS: _("no valid certificate"),
        Fault.TIMEOUT: _("no answer within %(seconds)d s") % {"seconds": TOTAL_SECONDS},
        Fault.BROKEN: _("the connection broke"),
        "sealed": _("the address can't be read any more; add the channel again"),
    }.get(fault, fault)


def seconds_text(took_ms: int | None) -> str:
    """`0.2 s`."""
    return _("%(seconds)s s") % {"seconds": f"{(took_ms or 0) / 1000:.1f}"}


def answer_words(
    delivery: ChannelDelivery, *, zone: str, now: dt.datetime
) -> AnswerWords:
    """What became of a delivery."""
    facts = {"status": status_text(delivery), "took": seconds_text(delivery.took_ms)}
    if delivery.sent_at is not None:
        facts["status"] = str(delivery.status_code)
        return AnswerWords(_("%(status)s in %(took)s") % facts)
    if delivery.failed_at is not None:
        text = capfirst(_("%(status)s, not tried again") % facts)
        return AnswerWords(text, "paused")
    if delivery.overtaken_at is not None:
        return AnswerWords(_overtaken_text(delivery), "off")
    return AnswerWords(_waiting_text(delivery, zone=zone, now=now), "off")


def _overtaken_text(delivery: ChannelDelivery) -> str:
    if delivery.channel.removed_at is not None:
        return _("Not sent: the channel was removed")
    return _("Not sent: no longer true")


def _waiting_text(delivery: ChannelDelivery, *, zone: str, now: dt.datetime) -> str:
    if delivery.next_try_at is None:
        return _("Waits until the channel is resumed")
    if delivery.tried_at is None or delivery.resent_at is not None:
        return _("On its way")
    facts = {
        "status": status_text(delivery),
        "moment": moment_label(delivery.next_try_at, zone=zone, now=now),
    }
    return capfirst(_("%(status)s, next try %(moment)s") % facts)


def test_words(delivery: ChannelDelivery) -> AnswerWords:
    """The answer to a test, in the place of its button."""
    facts = {"status": status_text(delivery), "took": seconds_text(delivery.took_ms)}
    if delivery.sent_at is not None:
        return AnswerWords(_("Test arrived, %(took)s") % facts)
    if delivery.status_code is not None:
        facts["status"] = str(delivery.status_code)
    return AnswerWords(capfirst(_("%(status)s after %(took)s") % facts), "paused")


def delivery_words(
    delivery: ChannelDelivery, people: People, *, zone: str, now: dt.datetime
) -> DeliveryWords:
    """One delivery, times in the organization's zone."""
    is_today = local_day(delivery.created_at, zone) == local_day(now, zone)
    return DeliveryWords(
        delivery,
        time=time_text(delivery.created_at, zone=zone)
        if is_today
        else moment_label(delivery.created_at, zone=zone, now=now),
        title=event_title(delivery.event, people),
        answer=answer_words(delivery, zone=zone, now=now),
        can_resend=delivery.channel.is_on
        and delivery.event.type != EventType.TEST
        and bool(delivery.sent_at or delivery.failed_at),
    )


def stopped_text(rows: list[ChannelRow]) -> str:
    """The banner's sentences of channels that failures paused; empty without one."""
    if not rows:
        return ""
    stopped = ngettext(
        "%(count)d channel has stopped.", "%(count)d channels have stopped.", len(rows)
    ) % {"count": len(rows)}
    said = ""
    if len(rows) == 1 and rows[0].given_up is not None:
        said = _("%(name)s: %(answer)s.") % {
            "name": rows[0].channel.name,
            "answer": status_text(rows[0].given_up),
        }
    waiting = sum(row.waiting for row in rows)
    waits = ngettext(
        "%(waiting)d delivery waits.", "%(waiting)d deliveries wait.", waiting
    ) % {"waiting": waiting}
    return " ".join(part for part in (stopped, said, waits if waiting else "") if part)
