"""Notices of the demo: written by the acts that crossed, told when they were."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Q

from accounts.models import Organization, OutgoingMail
from billing.models import DeliveryChannel, Notice, NoticeDelivery, NoticeKind
from billing.notices.actions.telling import NOTICE, tell

# Of included usage, thousands were told in months; those of the last days are enough.
WINDOWS_TOLD = dt.timedelta(days=7)
# People open their page every other day.
READ_AFTER = dt.timedelta(days=2)


def tell_then(organization: Organization, *, now: dt.datetime) -> None:
    """Tell everybody at the moment at which it happened, as the worker would have; nobody
    is told now of what is long past. What was told some days ago is read.
    """
    of_windows = Q(kind__in=(NoticeKind.INCLUDED_USAGE, NoticeKind.CHANGEOVER))
    untold = Notice.objects.untold().filter(organization=organization)
    untold.filter(of_windows, created_at__lt=now - WINDOWS_TOLD).update(
        told_at=F("created_at")
    )
    for notice in untold.order_by("created_at", "pk"):
        tell(notice.pk, now=notice.created_at)
    OutgoingMail.objects.filter(organization=organization, kind=NOTICE).update(
        attempts=1, sent_at=F("created_at")
    )
    NoticeDelivery.objects.filter(
        notice__organization=organization,
        channel=DeliveryChannel.PAGE,
        created_at__lt=now - READ_AFTER,
    ).update(seen_at=F("created_at"))
