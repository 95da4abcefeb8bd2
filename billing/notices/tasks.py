"""Jobs of notices: doors, so they read the clock. Safe to run twice, at once and late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.tasks import send_soon
from billing.models import ChannelDelivery, Notice
from billing.notices import processing
from billing.notices.actions.deliveries import release_held
from billing.notices.actions.telling import tell
from config.kit.jobs import SWEEP_LIMIT, enqueue, enqueue_now, for_each


@shared_task
def tell_notice(notice_id: int) -> int:
    """Tell everybody who is to be told of one notice; how many mails."""
    now = timezone.now()
    mails = tell(notice_id, now=now)
    send_soon(mails)
    due = ChannelDelivery.objects.due(now).filter(event__notice=notice_id)
    send_deliveries_soon(list(due.values_list("pk", flat=True)))
    return len(mails)


@shared_task
def tell_notices() -> int:
    """Enqueue the telling of every notice whose recipients nobody has found yet, the
    oldest first; how many.
    """
    untold = Notice.objects.untold().order_by("created_at", "pk")
    found = list(untold.values_list("pk", flat=True)[:SWEEP_LIMIT])
    for notice_id in found:
        enqueue_now(tell_notice, notice_id)
    return len(found)


def tell_soon(organization_id: int) -> None:
    """Have what an organization's people are still to be told of told soon, once the
    transaction is committed; a sweep finds what is left.
    """
    enqueue(tell_of_organization, organization_id)


@shared_task
def tell_of_organization(organization_id: int) -> int:
    """Tell of every notice of one organization that is not told yet; how many."""
    untold = Notice.objects.untold().filter(organization_id=organization_id)
    found = list(
        untold.order_by("created_at", "pk").values_list("pk", flat=True)[:SWEEP_LIMIT]
    )
    return len(for_each(found, tell_notice, failed="notices.not_told"))


@shared_task(time_limit=60, soft_time_limit=45)
def send_delivery(delivery_id: int) -> bool | None:
    """Try one delivery to a channel; see `processing.deliver`."""
    return processing.deliver(delivery_id)


@shared_task
def send_due_deliveries() -> int:
    """Enqueue every delivery to a channel that is due: new ones, failed ones, and those a
    dead worker left; how many.
    """
    now = timezone.now()
    release_held(now=now)
    due = ChannelDelivery.objects.due(now).order_by("next_try_at")
    found = list(due.values_list("pk", flat=True)[:SWEEP_LIMIT])
    for delivery_id in found:
        enqueue_now(send_delivery, delivery_id)
    return len(found)


def send_deliveries_soon(delivery_ids: list[int]) -> None:
    """Have deliveries tried once the transaction is committed; a sweep finds those whose
    message is lost.
    """
    for delivery_id in delivery_ids:
        enqueue(send_delivery, delivery_id)
