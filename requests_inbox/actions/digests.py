"""Making the digests of a local date due: one run an organization and date, one mail a
recipient (R6).
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization
from requests_inbox.models import DigestOptOut, DigestRun
from requests_inbox.queries import pending_of, reviewers
from requests_inbox.rules import digest_of

DIGEST = "request.digest"
SENT_WITHIN = dt.timedelta(hours=23)


def prepare_digest(organization: Organization, *, now: dt.datetime) -> list[int]:
    """Queue the latest digest that is due, unless that happened before or nothing
    waited at its hour. The mails' ids.

    A request sent after the hour waits for the next one.
    """
    local_on, due_at = digest_of(
        now, zone=organization.zone_at(now), hour=organization.digest_hour
    )
    if DigestRun.objects.filter(organization=organization, local_on=local_on).exists():
        return []
    waiting = pending_of(organization.pk, now=now).waiting
    if not any(pending.request.created_at <= due_at for pending in waiting):
        return []
    with transaction.atomic():
        locked = lock_organization(organization.pk)
        # Of two sweeps at once the row lets one through.
        _run, is_first = DigestRun.objects.get_or_create(
            organization=locked, local_on=local_on, defaults={"prepared_at": now}
        )
        if not is_first:
            return []
        mails = [_digest_mail(member, local_on) for member in _recipients(locked)]
        return queue_mails(locked, mails, now=now, within=SENT_WITHIN)


def _recipients(organization: Organization) -> list[Membership]:
    """Who may decide and has not switched the digest off."""
    opted_out = set(
        DigestOptOut.objects.filter(membership__organization=organization).values_list(
            "membership_id", flat=True
        )
    )
    return [member for member in reviewers(organization) if member.pk not in opted_out]


def _digest_mail(recipient: Membership, local_on: dt.date) -> QueuedMail:
    return QueuedMail(
        recipient.user,
        DIGEST,
        f"{DIGEST}:{recipient.pk}:{local_on}",
        {"membership": recipient.pk, "local_on": str(local_on)},
    )
