"""What is kept of channels: their secrets under the present key, their deliveries for as
long as mails.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.actions.retention import delete_all
from accounts.sealing import opened, resealed, sealed
from billing.models import Channel, ChannelDelivery, ChannelEvent
from billing.notices.actions.channels import PURPOSE
from config.kit.retention import retains
from config.kit.sealed import NotSealed

SECRETS = ("sealed_url", "sealed_secret", "sealed_old_secret")


@resealed("channel")
def reseal_channels() -> tuple[int, list[str]]:
    """Seal addresses and signing secrets with the present key: how many channels, and the
    names of those that no key opens.

    Each in a transaction of its own: a secret that is rotated meanwhile is not undone.
    """
    done, lost = 0, []
    for pk in list(Channel.objects.present().values_list("pk", flat=True)):
        with transaction.atomic():
            present = Channel.objects.present().select_for_update(of=("self",))
            channel = present.filter(pk=pk).first()
            if channel is None:
                continue
            try:
                _reseal(channel)
            except NotSealed:
                lost.append(channel.name)
                continue
            done += 1
    return done, lost


def _reseal(channel: Channel) -> None:
    for name in SECRETS:
        if kept := getattr(channel, name):
            setattr(
                channel, name, sealed(opened(kept, purpose=PURPOSE), purpose=PURPOSE)
            )
    channel.save(update_fields=SECRETS)


@retains("deliveries to channels", setting="RETAIN_MAILS_DAYS")
def end_deliveries(before: dt.datetime) -> int:
    """Deliveries that ended before, and the events nobody is told of any more; how many
    rows.
    """
    ended = Q(sent_at__lt=before) | Q(failed_at__lt=before) | Q(overtaken_at__lt=before)
    deliveries = delete_all(ChannelDelivery.objects.filter(ended))
    kept = ChannelDelivery.objects.filter(event=OuterRef("pk"))
    events = ChannelEvent.objects.filter(~Exists(kept), occurred_at__lt=before)
    return deliveries + delete_all(events)
