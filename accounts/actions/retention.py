"""Deleting what is no longer kept, by the settings `RETAIN_…_DAYS` (docs/privacy.md).

In chunks, each a transaction of its own; where append-only rows go, a mark says so
first, and their guard asks it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from accounts.models import (
    AuditEntry,
    FormerAddress,
    Invitation,
    OutgoingMail,
    RetentionMark,
)
from config.kit.addresses import ERASED_DOMAIN
from config.kit.retention import CHUNK, retains


def move_mark(kind: str, before: dt.datetime) -> RetentionMark:
    """Say that rows of a kind are gone before a moment; a later one stays."""
    mark, is_new = RetentionMark.objects.get_or_create(
        kind=kind, defaults={"before_at": before}
    )
    if not is_new and mark.before_at < before:
        mark.before_at = before
        mark.save(update_fields=["before_at"])
    return mark


def delete_all(rows: QuerySet[Any]) -> int:
    """Delete rows a chunk at a time; how many went."""
    count = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        rows.model._base_manager.filter(pk__in=ids).delete()
        count += len(ids)
    return count


@retains("mails", setting="RETAIN_MAILS_DAYS")
def end_mails(before: dt.datetime) -> int:
    """Mails that went out, or were given up, before."""
    return delete_all(
        OutgoingMail.objects.filter(Q(sent_at__lt=before) | Q(dropped_at__lt=before))
    )


@retains("invitations", setting="RETAIN_INVITATIONS_DAYS")
def end_invitations(before: dt.datetime) -> int:
    """Invitations that expired before, whatever became of them."""
    return delete_all(Invitation.objects.filter(expires_at__lt=before))


@retains("sessions", setting="RETAIN_SESSIONS_DAYS")
def end_sessions(before: dt.datetime) -> int:
    """Sessions that ran out before, and what was kept to show those that are gone."""
    gone = delete_all(Session.objects.filter(expire_date__lt=before))
    there = Session.objects.values("session_key")
    return gone + delete_all(UserSession.objects.exclude(session_key__in=there))


@retains("former addresses", setting="RETAIN_ERASED_ADDRESSES_DAYS")
def end_erased_addresses(before: dt.datetime) -> int:
    """The hashes that say whose late usage is, of people erased before."""
    return delete_all(
        FormerAddress.objects.filter(
            email__endswith=ERASED_DOMAIN, user__erasure__erased_at__lt=before
        )
    )


@retains("audit", setting="RETAIN_AUDIT_DAYS")
def end_audit(before: dt.datetime) -> int:
    """Audit entries and operators' log of before; an entry that another row stands on is
    kept as long as that.
    """
    move_mark("audit", before)
    entries = AuditEntry.objects.filter(at__lt=before)
    for relation in AuditEntry._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete:
            users: Any = relation.related_model
            column = relation.field.name  # type: ignore[union-attr]
            used = users._base_manager.exclude(**{column: None}).values(column)
            entries = entries.exclude(pk__in=used)
    logged = LogEntry.objects.filter(action_time__lt=before)
    return delete_all(entries) + delete_all(logged)
