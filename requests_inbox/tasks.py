"""Jobs of the requests app: doors of their own, so they read the clock. Safe to run twice, at once and late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.models import Organization
from accounts.tasks import send_mail

from .actions.digests import prepare_digest
from .actions.ending import write_down_endings
from .queries import organizations_with_pending


@shared_task
def prepare_digests() -> int:
    """Queue the digests whose local hour has come, and poke their sending; how many mails."""
    organizations = Organization.objects.filter(pk__in=organizations_with_pending())
    mails = [pk for one in organizations for pk in prepare_digest(one, now=timezone.now())]
    for pk in mails:
        send_mail.delay(pk)
    return len(mails)


@shared_task
def end_requests() -> int:
    """Write down the requests that ended by themselves; how many."""
    return sum(write_down_endings(pk, now=timezone.now()) for pk in organizations_with_pending())
