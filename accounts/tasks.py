"""Jobs of the accounts app: doors of their own, so they read the clock."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from django.utils import timezone

from accounts.actions import retention  # noqa: F401  (registers what it ends)
from accounts.actions.api_keys import tell_of_end
from accounts.actions.security import forget_old_security_events
from accounts.actions.tokens import tell_of_token_end
from accounts.delivery import deliver
from accounts.key_use import write_down_uses
from accounts.models import ApiKey, OutgoingMail
from config.kit.jobs import SWEEP_LIMIT, enqueue, enqueue_now, for_each
from config.kit.retention import end_retention


@shared_task
def write_down_key_use() -> int:
    """Move the noted last-used times of API keys into their rows."""
    return write_down_uses()


@shared_task
def tell_of_ending_keys() -> int:
    """Have owners told of keys whose time is nearly over, and members of their personal
    tokens, once; how many keys and tokens.
    """
    now = timezone.now()
    ending = ApiKey.objects.ending(now).select_related("membership")
    told = 0
    for keys, tell in (
        (ending.shared(), tell_of_end),
        (ending.personal(), tell_of_token_end),
    ):
        found = list(keys.order_by("expires_at")[:SWEEP_LIMIT])
        for mails in for_each(found, partial(tell, now=now), failed="key.not_told"):
            send_soon(mails)
        told += len(found)
    return told


@shared_task
def forget_security_events() -> int:
    """Delete what is past its last day (SECURITY_EVENT_DAYS)."""
    return forget_old_security_events(now=timezone.now())


@shared_task
def end_what_is_kept() -> int:
    """Delete what the settings no longer keep, sessions that ran out among it; how many
    rows.
    """
    return sum(end_retention(now=timezone.now()).values())


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
        enqueue_now(send_mail, mail_id)
    return len(due)


def send_soon(mail_ids: list[int]) -> None:
    """Have mails sent soon; a sweep finds those whose message is lost."""
    for mail_id in mail_ids:
        enqueue(send_mail, mail_id)
