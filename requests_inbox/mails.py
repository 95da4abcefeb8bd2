"""Who writes our mails: the answer to a member, and the daily digest.

Read when the mail goes out, so that it is true.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import translation

from accounts.delivery import MailText, writes
from accounts.models import Membership, OutgoingMail, Role
from billing.funding.queries import organization_standing, standing_of
from billing.funding.rules.decision import decide
from billing.funding.rules.standing import Reason
from billing.reports.queries.month import month_summary
from billing.reports.words import month_so_far
from config.kit.links import page_url
from requests_inbox.actions.deciding import ANSWER
from requests_inbox.actions.digests import DIGEST
from requests_inbox.digest_links import unsubscribe_url
from requests_inbox.models import DigestOptOut, UsageRequest
from requests_inbox.queries import PEOPLE, PendingRequest, pending_of
from requests_inbox.words import oldest_text


@writes(ANSWER)
def answer_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """What was decided; nothing to somebody who has left since."""
    request = (
        UsageRequest.objects.select_related(*PEOPLE)
        .filter(pk=mail.facts["request"])
        .first()
    )
    if request is None or not request.membership.is_active:
        return None
    standing = standing_of(
        request.membership_id, organization_id=mail.organization.pk, now=now
    )
    decision = decide(standing)
    return MailText(
        "request_answer",
        {
            "request": request,
            "organization": mail.organization,
            "approved": request.status == UsageRequest.Status.APPROVED,
            "month": standing.organization.month,
            "can_go_on": decision.allowed,
            "needs_yes": decision.reason is Reason.CONFIRMATION_NEEDED,
            "link": page_url("own_usage", mail.organization.slug),
        },
    )


@writes(DIGEST)
def digest_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """All that waits now; nothing when nothing waits any more, or the recipient may not
    or will not have it.
    """
    membership = (
        Membership.objects.enabled()
        .select_related("user", "organization")
        .filter(pk=mail.facts["membership"])
        .first()
    )
    if membership is None or not membership.is_at_least(Role.ADMIN):
        return None
    if DigestOptOut.objects.filter(membership=membership).exists():
        return None
    waiting = pending_of(mail.organization.pk, now=now).waiting
    if not waiting:
        return None
    stop_url = unsubscribe_url(membership.pk)
    headers = {
        "List-Unsubscribe": f"<{stop_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    with translation.override(mail.reads):
        context = digest_context(membership, waiting, now=now)
    context["stop_url"] = stop_url
    return MailText("request_digest", context, headers)


def digest_context(
    membership: Membership, waiting: list[PendingRequest], *, now: dt.datetime
) -> dict[str, Any]:
    """The requests that wait, with the organization's month, in the active language."""
    organization = membership.organization
    standing = organization_standing(organization.pk, now=now)
    verdict = month_summary(standing, now=now).verdict
    zone = standing.month.zone
    oldest = oldest_text(waiting[0].request, zone=zone)
    return {
        "organization": organization,
        "role": membership.role.label,
        "waiting": waiting,
        "month_text": f"{oldest} {month_so_far(standing, verdict)}",
        "zone": zone,
        "now": now,
        "today": standing.month.day_of(now),
        "hour": f"{organization.digest_hour:02}:00",
        "link": page_url("usage_settings", organization.slug) + "?review=requests",
    }
