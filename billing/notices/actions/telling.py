"""Telling people of a notice: who is told, by page and mail, once (N1a, N4).

One transaction: the claim of the notice, its deliveries and the mails in the queue. A
worker that dies in it leaves the notice to the next sweep; two at once wait for each
other's claim, and the second finds it taken.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from accounts.actions.mails import QueuedMail, queue_mails
from accounts.models import OutgoingMail
from billing.models import DeliveryChannel, Notice, NoticeDelivery, NoticeKind
from billing.notices.actions.publishing import publish_notice
from billing.notices.queries.recipients import Told, told_of

NOTICE = "notice"
# Later than that nobody is told in time: the page and its list still have it.
SENT_WITHIN = dt.timedelta(days=3)
# A balance that auto-reload is just lifting is no news: it has this long to do so.
RELOADS_WITHIN = dt.timedelta(minutes=2)


@transaction.atomic
def tell(notice_id: int, *, now: dt.datetime) -> list[int]:
    """Tell everybody who is to be told of a notice, unless that was done before. Nobody is
    told of one that was overtaken meanwhile; of a balance that auto-reload may still lift,
    once it had the time to. The mails' ids.
    """
    may_be_lifted = Q(
        kind__in=(NoticeKind.BALANCE_LOW, NoticeKind.BALANCE_EXHAUSTED),
        organization__billing_account__auto_reload_enabled=True,
        overtaken_at__isnull=True,
        created_at__gt=now - RELOADS_WITHIN,
    )
    ready = Notice.objects.untold().exclude(may_be_lifted)
    # The claim is of the row alone, so that of two at once one finds it taken.
    if not ready.filter(pk=notice_id).exists():
        return []
    if not Notice.objects.untold().filter(pk=notice_id).update(told_at=now):
        return []
    notice = Notice.objects.select_related("organization").get(pk=notice_id)
    if notice.overtaken_at is not None or _is_passed(notice):
        return []
    publish_notice(notice, now=now)
    told = told_of(notice, now=now)
    mails = {
        _key(notice, one): one for one in told if DeliveryChannel.MAIL in one.channels
    }
    due = queue_mails(
        notice.organization,
        [_mail(notice, one, key) for key, one in mails.items()],
        now=now,
        within=SENT_WITHIN,
    )
    ids = dict(OutgoingMail.objects.filter(key__in=mails).values_list("key", "pk"))
    NoticeDelivery.objects.bulk_create(
        [
            NoticeDelivery(
                notice=notice,
                channel=channel,
                membership=one.membership,
                address=one.outside.address if one.outside else "",
                mail_id=ids[_key(notice, one)]
                if channel == DeliveryChannel.MAIL
                else None,
                created_at=now,
            )
            for one in told
            for channel in one.channels
        ]
    )
    return due


def _is_passed(notice: Notice) -> bool:
    """Whether a higher threshold of the same limit was reached before anybody was told
    of this one: that one tells (N1a).
    """
    if notice.percent is None:
        return False
    return (
        Notice.objects.live()
        .filter(
            organization_id=notice.organization_id,
            subject=notice.subject,
            month_on=notice.month_on,
            percent__gt=notice.percent,
            limit_nanos=notice.limit_nanos,
        )
        .exists()
    )


def _key(notice: Notice, told: Told) -> str:
    """What may be mailed once: a notice to a member, or to a recipient outside."""
    if told.outside is not None:
        return f"{NOTICE}:{notice.pk}:outside:{told.outside.pk}"
    assert told.membership is not None
    return f"{NOTICE}:{notice.pk}:{told.membership.pk}"


def _mail(notice: Notice, told: Told, key: str) -> QueuedMail:
    if told.outside is not None:
        return QueuedMail(
            None,
            NOTICE,
            key,
            {"notice": notice.pk, "recipient": told.outside.pk},
            address=told.outside.address,
            language=told.outside.language,
        )
    assert told.membership is not None
    facts = {"notice": notice.pk, "membership": told.membership.pk}
    return QueuedMail(told.membership.user, NOTICE, key, facts)
