"""Jobs of the accounts app: doors of their own, so they read the clock."""

from __future__ import annotations

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from accounts.delivery import deliver
from accounts.key_use import write_down_uses
from accounts.models import OutgoingMail
from config.kit.jobs import SWEEP_LIMIT, enqueue


@shared_task
def write_down_key_use() -> int:
    """Move the noted last-used times of API keys into their rows."""
    return write_down_uses()


@shared_task
def clear_sessions() -> None:
    """Delete sessions that ran out."""
    SessionStore.clear_expired()


@shared_task
def send_mail(mail_id: int) -> bool:
    """Send one queued mail; safe to run twice, at once and late."""
    return deliver(mail_id)


@shared_task
def send_due_mails() -> int:
    """Enqueue the sending of every mail that is due: new ones, failed ones, and those a
    dead worker left.
    """
    due = (
        OutgoingMail.objects.due(timezone.now())
        .order_by("next_try_at")
        .values_list("pk", flat=True)[:SWEEP_LIMIT]
    )
    for mail_id in due:
        send_mail.delay(mail_id)
    return len(due)


def send_soon(mail_ids: list[int]) -> None:
    """Have mails sent soon; a sweep finds those whose message is lost."""
    for mail_id in mail_ids:
        enqueue(send_mail, mail_id)
