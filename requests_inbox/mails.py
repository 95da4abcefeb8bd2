"""Who writes our mails: the answer to a member, and the daily digest.

Read when the mail goes out, so that it is true.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.delivery import MailText, in_frame, one_click, writes
from accounts.models import Membership, OutgoingMail, Role
from billing.funding.queries import organization_standing, standing_of
from billing.funding.rules.decision import decide
from billing.funding.rules.standing import Standing
from billing.reports.queries.month import month_summary
from billing.reports.words import month_so_far
from config.kit.dates import city_moment_text, day_text
from config.kit.letters import Letter, Press
from config.kit.links import page_url
from requests_inbox.actions.deciding import ANSWER
from requests_inbox.actions.digests import DIGEST
from requests_inbox.digest_links import unsubscribe_url
from requests_inbox.models import DigestOptOut, UsageRequest
from requests_inbox.queries import PEOPLE, PendingRequest, pending_of
from requests_inbox.words import answer_title, oldest_text


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
    with translation.override(mail.reads):
        return in_frame(_answer(request, standing))


def _answer(request: UsageRequest, standing: Standing) -> Letter:
    organization = standing.organization
    sentences = [_what_now(request, can_go_on=decide(standing).allowed)]
    if request.status == UsageRequest.Status.APPROVED and request.granted_month_only:
        sentences.append(
            _(
                "The new limit applies until the month ends on %(day)s; after that, the "
                "previous one applies again."
            )
            % {"day": day_text(organization.month.last_on)}
        )
    note_by = _("%(who)s wrote:") % {"who": request.decider}
    return Letter(
        answer_title(request),
        [" ".join(sentences)],
        Press(_("Your usage"), page_url("own_usage", organization.slug)),
        _("You're receiving this because you asked for more usage at %(name)s.")
        % {"name": organization.name},
        note_by=note_by if request.answer_note else "",
        note=request.answer_note,
        name=organization.name,
    )


def _what_now(request: UsageRequest, *, can_go_on: bool) -> str:
    if request.status != UsageRequest.Status.APPROVED:
        return _(
            "Your limits stay as they are; your usage page says when you can continue."
        )
    if can_go_on:
        return _("You can continue now.")
    return _("You are still paused; your usage page says why and until when.")


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
    with translation.override(mail.reads):
        context = digest_context(membership, waiting, now=now)
        context["stops"] = [Press(_("Stop these e-mails for me"), stop_url)]
    return MailText("request_digest", context, one_click(stop_url))


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
        "when": city_moment_text(now, zone=zone),
        "hour": f"{organization.digest_hour:02}:00",
        "press": Press(
            _("Review requests"),
            page_url("usage_settings", organization.slug) + "?review=requests",
        ),
    }
