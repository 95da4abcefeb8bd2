"""Keeping what happens to the ways people sign in (S14), and telling them by mail."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.actions.mails import QueuedMail, queue_mails
from accounts.models import SecurityEvent, User
from accounts.models.security import (
    FAILURES,
    FAILURES_KEPT_AN_HOUR,
    HOUR,
    UNKNOWN_KEPT_AN_HOUR,
)

Kind = SecurityEvent.Kind
# What people are told of, whoever did it; an address has a mail of its own.
TOLD = frozenset(
    {
        Kind.PASSWORD_CHANGED,
        Kind.PASSWORD_RESET,
        Kind.PASSWORD_SET,
        Kind.SECOND_FACTOR_ADDED,
        Kind.SECOND_FACTOR_REMOVED,
        Kind.RECOVERY_CODES_CREATED,
        Kind.RECOVERY_CODE_USED,
        Kind.TOKEN_CREATED,
    }
)
NOTICE_WITHIN = dt.timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where somebody did it from: the client's address, its browser's name."""

    client: str = ""
    browser: str = ""


NOWHERE = Origin()


def record_security_event(
    kind: str,
    *,
    person: User | None,
    now: dt.datetime,
    origin: Origin = NOWHERE,
    operator: User | None = None,
) -> SecurityEvent | None:
    """Keep one event of `person`'s account; None for a failure above what is kept an
    hour of one person, or of addresses nobody has.
    """
    if kind in FAILURES and _is_one_too_many(kind, person, now=now):
        return None
    return SecurityEvent.objects.create(
        at=now,
        kind=kind,
        person=person,
        operator=None if operator == person else operator,
        client=origin.client[:45],
        browser=origin.browser[:200],
        keep_until=now + dt.timedelta(days=settings.SECURITY_EVENT_DAYS),
    )


def _is_one_too_many(kind: str, person: User | None, *, now: dt.datetime) -> bool:
    """Whether strangers filled this hour already."""
    lately = SecurityEvent.objects.filter(kind=kind, person=person, at__gt=now - HOUR)
    most = UNKNOWN_KEPT_AN_HOUR if person is None else FAILURES_KEPT_AN_HOUR
    return len(lately.order_by()[:most].values_list("pk")) >= most


def queue_notice(event: SecurityEvent, *, now: dt.datetime) -> list[int]:
    """The mail that tells the person of an event of theirs, if it is one of `TOLD`; its
    id.
    """
    if event.person is None or event.kind not in TOLD:
        return []
    facts: dict[str, Any] = {
        "kind": event.kind,
        "at": event.at.isoformat(),
        "client": event.client,
        "browser": event.browser,
        "by_operator": event.operator_id is not None,
    }
    key = f"security_notice:{event.pk}:{uuid.uuid4().hex}"
    mail = QueuedMail(event.person, "security_notice", key, facts)
    return queue_mails(None, [mail], now=now, within=NOTICE_WITHIN)


def forget_old_security_events(*, now: dt.datetime) -> int:
    """Delete those past their last day; how many."""
    deleted, _by_model = SecurityEvent.objects.filter(keep_until__lte=now).delete()
    return deleted
