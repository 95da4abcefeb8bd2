"""What a member sees of their own request: the link, the request on its way, or its
answer. Reads only.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Membership
from billing.funding.rules.decision import Decision, may_request
from billing.funding.rules.standing import Standing
from config.kit.dates import moment_label, moment_text
from config.kit.fields import typed_amount
from requests_inbox.actions.asking import pause_after_dismissal
from requests_inbox.forms import DetailsForm
from requests_inbox.models import UsageRequest
from requests_inbox.queries import deciders_for, latest_request
from requests_inbox.rules import may_ask_again_at
from requests_inbox.words import answer_title, asked_label

# How long an answer stays on the page.
ANSWER_SHOWN = dt.timedelta(days=7)
NAMED = 3


def own_request_context(
    membership: Membership,
    standing: Standing,
    decision: Decision,
    *,
    now: dt.datetime,
    form: DetailsForm | None = None,
) -> dict[str, Any]:
    """`state` is `sent`, `answered`, `open` or empty; only seat-based Enterprise has
    requests (R1).
    """
    context: dict[str, Any] = {"state": "", "may_send": False}
    if not standing.organization.has_windows:
        return context
    latest, status = latest_request(membership.pk, standing=standing)
    zone = standing.organization.month.zone
    context["has_history"] = (
        latest is not None and latest.status != UsageRequest.Status.PENDING
    )
    if latest is not None and status == UsageRequest.Status.PENDING:
        return context | _sent(membership, latest, zone=zone, now=now, form=form)
    may = not decision.allowed and may_request(standing, decision.reason)
    if (
        latest is not None
        and latest.ended_at is not None
        and _is_answer(latest, now=now)
    ):
        context |= _answered(latest, zone=zone, now=now)
        if latest.status == UsageRequest.Status.DISMISSED:
            again_at = may_ask_again_at(latest.ended_at, pause=pause_after_dismissal())
            if now < again_at:
                again = moment_text(again_at, zone=zone, now=now) if may else ""
                return context | {"again": again}
    return context | {
        "may_send": may,
        "state": context["state"] or ("open" if may else ""),
    }


def _is_answer(request: UsageRequest, *, now: dt.datetime) -> bool:
    decided = request.status in (
        UsageRequest.Status.APPROVED,
        UsageRequest.Status.DISMISSED,
    )
    return (
        decided
        and request.ended_at is not None
        and now - request.ended_at < ANSWER_SHOWN
    )


def _sent(
    membership: Membership,
    request: UsageRequest,
    *,
    zone: str,
    now: dt.datetime,
    form: DetailsForm | None,
) -> dict[str, Any]:
    deciders = [
        str(decider.user)
        for decider in deciders_for(membership.pk, organization=membership.organization)
    ]
    initial = {"note": request.note, "amount": typed_amount(request.asked_nanos)}
    return {
        "state": "sent",
        "asked": asked_label(request, zone=zone, now=now),
        "deciders": _names(deciders),
        "form": form or DetailsForm(initial=initial),
        "has_details": bool(request.note or request.asked_nanos is not None),
    }


def _names(names: list[str]) -> str:
    """`Ada Park or Alice Nakamura`; at most three are named."""
    if len(names) > NAMED:
        return _("One of your admins")
    if len(names) == 1:
        return pgettext("who decides", "%(name)s") % {"name": names[0]}
    return _("%(names)s or %(last)s") % {
        "names": _(", ").join(names[:-1]),
        "last": names[-1],
    }


def _answered(request: UsageRequest, *, zone: str, now: dt.datetime) -> dict[str, Any]:
    assert request.ended_at is not None
    return {
        "state": "answered",
        "answer": answer_title(request),
        "answered": moment_label(request.ended_at, zone=zone, now=now),
        "answer_note": request.answer_note,
        "was_dismissed": request.status == UsageRequest.Status.DISMISSED,
    }
