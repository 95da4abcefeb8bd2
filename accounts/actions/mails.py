"""Queueing mails and keeping what became of them.

Writes rows only; `accounts.delivery` sends.

A worker that dies between claim and mark leaves a mail that is due again once its claim
ends, with the same Message-ID (R6); see `config.kit.retried`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.models import Organization, OutgoingMail, User
from accounts.models.mails import OutgoingMailQuerySet
from config.kit.errors import BusinessError

AGAIN_WITHIN = dt.timedelta(days=1)

# The fact of a mail that is a secret, sealed: gone as soon as the mail is finished.
SEALED = "sealed"
Then = Callable[..., None]


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
    organization: Organization | None,
    mails: Iterable[QueuedMail],
    *,
    now: dt.datetime,
    within: dt.timedelta,
    not_before: dt.datetime | None = None,
) -> list[int]:
    """Make mails due, inside the caller's transaction; a key that is there already is
    passed over. Their ids.

    Mails about a person's own account have no organization. They are given up when
    they could not be sent `within` that time. Until `not_before` they wait, for what
    may still be taken back.
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
            next_try_at=not_before or now,
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


@transaction.atomic
def send_again(mail: OutgoingMail, *, actor: Actor, now: dt.datetime) -> list[int]:
    """Have a mail sent once more: the one that waits goes now, of one that went out or
    was given up a new row is made, so that what became of the first stays known. Its id.

    Raises BusinessError `unreachable` for somebody whose account is switched off,
    `on_its_way` for one that somebody may be sending just now.
    """
    locked = OutgoingMail.objects.select_for_update(of=("self",)).get(pk=mail.pk)
    if locked.user is not None and not locked.user.is_active:
        raise BusinessError(
            _("The account of %(name)s is switched off; they get no mails.")
            % {"name": locked.user},
            code="unreachable",
        )
    is_waiting = locked.sent_at is None and locked.dropped_at is None
    if is_waiting:
        _make_due(locked, now=now)
    record_change(
        locked.organization,
        actor=actor,
        action="mail.again",
        subject=locked.to,
        now=now,
        to_value={"kind": locked.kind},
    )
    return [locked.pk] if is_waiting else _queue_copy(locked, now=now)


def _make_due(mail: OutgoingMail, *, now: dt.datetime) -> None:
    """Its next try is now, unless that moment may be the end of somebody's claim."""
    if mail.next_try_at <= now + OutgoingMailQuerySet.claim_lasts:
        raise BusinessError(
            _("It is on its way: the next try is within minutes."), code="on_its_way"
        )
    mail.next_try_at = now
    mail.save(update_fields=["next_try_at"])


def _queue_copy(mail: OutgoingMail, *, now: dt.datetime) -> list[int]:
    copy = QueuedMail(
        mail.user,
        mail.kind,
        f"again:{uuid.uuid4().hex}:{mail.kind}",
        mail.facts,
        address=mail.address,
        language=mail.language,
    )
    within = max(mail.expires_at - mail.created_at, AGAIN_WITHIN)
    return queue_mails(mail.organization, [copy], now=now, within=within)


def claim_mail(mail_id: int, *, now: dt.datetime) -> OutgoingMail | None:
    """Take a mail that is due; None when it is sent, dropped or somebody else has it."""
    mails = OutgoingMail.objects.select_related("organization__primary_owner", "user")
    return mails.claim(mail_id, now=now)


@transaction.atomic
def mark_sent(
    mail: OutgoingMail, *, now: dt.datetime, then: Then | None = None
) -> None:
    """The mail server has it; `then` writes down with it what follows."""
    waiting = OutgoingMail.objects.waiting().filter(pk=mail.pk)
    is_marked = waiting.update(sent_at=now, last_error="", facts=_plain_facts(mail))
    if is_marked and then is not None:
        then(mail, now=now)


def _plain_facts(mail: OutgoingMail) -> dict[str, Any]:
    return {name: fact for name, fact in mail.facts.items() if name != SEALED}


@transaction.atomic
def take_back_mail(key: str) -> bool:
    """Whether a mail that nobody tried to send yet is gone, so that it never goes out.

    Races with the worker that claims it: condition and change are one UPDATE, as the
    claim's are, and only who has won it deletes the row.
    """
    unsent = OutgoingMail.objects.waiting().filter(key=key, attempts=0)
    if not unsent.update(attempts=1):
        return False
    OutgoingMail.objects.filter(key=key).delete()
    return True


def drop_mail(mail: OutgoingMail, *, why: str, now: dt.datetime) -> None:
    """Nothing to say any more, or nobody to say it to."""
    OutgoingMail.objects.waiting().filter(pk=mail.pk).update(
        dropped_at=now, last_error=why[:500], facts=_plain_facts(mail)
    )


def forget_mail(mail: OutgoingMail) -> None:
    """There was nobody to say it to, and nobody is to see that somebody asked."""
    OutgoingMail.objects.waiting().filter(pk=mail.pk).delete()


def retry_mail_later(mail: OutgoingMail, *, error: str, now: dt.datetime) -> None:
    """Try again after 1, 5, 15 and then every 60 minutes, until it expires."""
    if now >= mail.expires_at:
        drop_mail(mail, why=error, now=now)
    else:
        OutgoingMail.objects.retry_later(mail, now=now, last_error=error[:500])
