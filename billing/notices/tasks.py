"""Jobs of notices: doors, so they read the clock. Safe to run twice, at once and late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.tasks import send_soon
from billing.models import Notice
from billing.notices.actions.telling import tell
from config.kit.jobs import SWEEP_LIMIT, enqueue, enqueue_now, for_each


@shared_task
def tell_notice(notice_id: int) -> int:
    """Tell everybody who is to be told of one notice; how many mails."""
    mails = tell(notice_id, now=timezone.now())
    send_soon(mails)
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
