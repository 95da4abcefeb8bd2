"""Jobs of the requests app: doors of their own, so they read the clock.

Safe to run twice, at once and late.
"""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.models import Organization
from accounts.tasks import send_mail
from config.kit.jobs import enqueue_now, for_each
from requests_inbox.actions.digests import prepare_digest
from requests_inbox.actions.ending import write_down_endings
from requests_inbox.queries import organizations_with_pending

FAILED = "requests.sweep_failed"


@shared_task
def prepare_digests() -> int:
    """Queue the digests whose local hour has come, and enqueue their sending; how many mails."""
    organizations = list(
        Organization.objects.filter(pk__in=organizations_with_pending())
    )
    queued = for_each(
        organizations,
        lambda organization: prepare_digest(organization, now=timezone.now()),
        failed=FAILED,
    )
    mails = [pk for ids in queued for pk in ids]
    for pk in mails:
        enqueue_now(send_mail, pk)
    return len(mails)


@shared_task
def end_requests() -> int:
    """Write down the requests that ended by themselves; how many."""
    pending = list(organizations_with_pending())
    return sum(
        for_each(
            pending,
            lambda pk: write_down_endings(pk, now=timezone.now()),
            failed=FAILED,
        )
    )
