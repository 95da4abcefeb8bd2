"""What became of a delivery, in words: the answer, never a code alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing.models import DeliveryChannel, Notice, NoticeDelivery
from billing.notices.queries.month import DeliveryRow, DeliveryState, state_of
from config.kit.dates import moment_label, time_text


@dataclass(frozen=True, slots=True)
class DeliveryWords:
    """One row of the table; `style` is a name of our styles."""

    to: str
    channel: str
    tries: int
    answer: str
    style: str = ""


STYLES = {
    DeliveryState.FAILED: "paused",
    DeliveryState.WAITING: "off",
    DeliveryState.OVERTAKEN: "off",
}


def delivery_words(row: DeliveryRow, *, zone: str, now: dt.datetime) -> DeliveryWords:
    """What became of it; of a notice without deliveries, why there are none."""
    notice, delivery = row.notice, row.delivery
    if delivery is None:
        return DeliveryWords("–", "", 0, _without(notice), "off")
    state = state_of(notice, delivery)
    mail = delivery.mail
    return DeliveryWords(
        to=str(delivery.membership.user.email)
        if delivery.membership
        else delivery.address,
        channel=str(DeliveryChannel(delivery.channel).label),
        tries=mail.attempts if mail else 0,
        answer=_answer(notice, delivery, state, zone=zone, now=now),
        style=STYLES.get(state, ""),
    )


def _without(notice: Notice) -> str:
    if notice.overtaken_at is not None:
        return _("Not sent: no longer true")
    if notice.told_at is None:
        return _("Waiting")
    return _("Nobody wants this kind")


def _answer(
    notice: Notice,
    delivery: NoticeDelivery,
    state: DeliveryState,
    *,
    zone: str,
    now: dt.datetime,
) -> str:
    mail = delivery.mail
    if delivery.channel == DeliveryChannel.PAGE:
        return _seen(delivery, zone=zone, now=now)
    if state is DeliveryState.FAILED and mail:
        return _("%(error)s; not tried again") % {"error": mail.last_error}
    if state is DeliveryState.OVERTAKEN:
        if notice.overtaken_at:
            return _("Not sent: no longer true")
        return _("Not sent: no longer wanted")
    if mail and mail.sent_at:
        if mail.attempts > 1:
            return _("Taken, not at the first try")
        return _("Taken at %(time)s") % {"time": time_text(mail.sent_at, zone=zone)}
    if mail and mail.last_error:
        again = moment_label(mail.next_try_at, zone=zone, now=now)
        return _("%(error)s; next try %(again)s") % {
            "error": mail.last_error,
            "again": again,
        }
    return _("Waiting")


def _seen(delivery: NoticeDelivery, *, zone: str, now: dt.datetime) -> str:
    if delivery.seen_at is None:
        return _("Not read yet")
    moment = moment_label(delivery.seen_at, zone=zone, now=now)
    return _("Read %(moment)s") % {"moment": moment}
