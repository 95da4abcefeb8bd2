"""Queueing mails and keeping what became of them.

Writes rows only; `accounts.delivery` sends.

A worker that dies between claim and mark leaves a mail that is due again once its claim
ends, with the same Message-ID (R6); see `config.kit.retried`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from django.conf import settings

from accounts.models import Organization, OutgoingMail, User


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """A mail to write: `key` is what may be mailed once, `facts` what its writer needs (JSON).

    Without a `user` it goes to an `address`, in a `language`.
    """

    user: User | None
    kind: str
    key: str
    facts: dict[str, Any] = field(default_factory=dict)
    address: str = ""
    language: str = ""


def queue_mails(
    organization: Organization,
    mails: Iterable[QueuedMail],
    *,
    now: dt.datetime,
    within: dt.timedelta,
) -> list[int]:
    """Make mails due, inside the caller's transaction; a key that is there already is
    passed over. Their ids.

    They are given up when they could not be sent `within` that time.
    """
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    rows = [
        OutgoingMail(
            organization=organization,
            user=mail.user,
            address=mail.address,
            language=mail.language,
            kind=mail.kind,
            key=mail.key,
            facts=mail.facts,
            message_id=f"<{uuid.uuid4().hex}@{domain}>",
            created_at=now,
            next_try_at=now,
            expires_at=now + within,
        )
        for mail in mails
    ]
    OutgoingMail.objects.bulk_create(rows, ignore_conflicts=True)
    keys = [row.key for row in rows]
    return list(
        OutgoingMail.objects.waiting()
        .filter(key__in=keys)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def claim_mail(mail_id: int, *, now: dt.datetime) -> OutgoingMail | None:
    """Take a mail that is due; None when it is sent, dropped or somebody else has it."""
    mails = OutgoingMail.objects.select_related("organization__primary_owner", "user")
    return mails.claim(mail_id, now=now)


def mark_sent(mail: OutgoingMail, *, now: dt.datetime) -> None:
    """The mail server has it."""
    OutgoingMail.objects.waiting().filter(pk=mail.pk).update(sent_at=now, last_error="")


def drop_mail(mail: OutgoingMail, *, why: str, now: dt.datetime) -> None:
    """Nothing to say any more, or nobody to say it to."""
    OutgoingMail.objects.waiting().filter(pk=mail.pk).update(
        dropped_at=now, last_error=why[:500]
    )


def retry_mail_later(mail: OutgoingMail, *, error: str, now: dt.datetime) -> None:
    """Try again after 1, 5, 15 and then every 60 minutes, until it expires."""
    if now >= mail.expires_at:
        drop_mail(mail, why=error, now=now)
    else:
        OutgoingMail.objects.retry_later(mail, now=now, last_error=error[:500])
