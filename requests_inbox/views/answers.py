"""What the review's views answer with: the modal, its foot, one row, or the list as it is
after a decision; and the sentences of the toasts.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import MemberRequest
from accounts.models import Membership
from accounts.tasks import send_soon
from accounts.undoing import say_with_undo
from config.kit.errors import BusinessError
from config.kit.htmx import render_modal
from config.kit.money import format_usd
from requests_inbox.actions.deciding import Decided, Increased
from requests_inbox.actions.undoing import decision_changes
from requests_inbox.forms import IncreaseForm
from requests_inbox.models import UsageRequest
from requests_inbox.queries import PEOPLE
from requests_inbox.views.group_effects import group_effect, premium_text
from requests_inbox.views.review_rows import Review, ReviewRow
from requests_inbox.words import decided_sentence

CHANGED: dict[str, Any] = {"capChanged": {}, "requestsChanged": {}}


def refused(
    request: MemberRequest,
    membership: Membership,
    refusal: BusinessError,
    *,
    request_id: int,
) -> HttpResponse:
    """Say why not, in the row where nothing waits any more."""
    messages.warning(request, refusal.message)
    return row_now(request, membership, request_id=request_id, sentence=refusal.message)


def accepted(
    request: MemberRequest, membership: Membership, decided: Decided
) -> HttpResponse:
    """Tell the reviewer, send the member's mail, and say it in the row."""
    _send_mails(decided)
    sentence = _decided_sentence(decided)
    say_with_undo(
        request,
        sentence,
        organization=membership.organization,
        entries=decision_changes(decided),
    )
    return row_now(
        request, membership, request_id=decided.request.pk, sentence=sentence
    )


def row_now(
    request: MemberRequest, membership: Membership, *, request_id: int, sentence: str
) -> HttpResponse:
    """The one row as it is now, or what became of it; all other rows stay as they are,
    with what is typed in them. The modal closes when nothing is left.
    """
    review = Review(membership, timezone.now())
    if not request.htmx or not review.waiting:
        return list_now(request, membership)
    row = review.row(request_id)
    context = _context(review) | {
        "row": row,
        "done": [(request_id, sentence)],
        "is_after": True,
    }
    template = "_review_done" if row is None else "_review_row"
    response = render(request, f"requests_inbox/{template}.html", context)
    response["HX-Trigger"] = json.dumps(CHANGED)
    response["HX-Retarget"] = f"#request-{request_id}"
    response["HX-Reswap"] = "outerHTML"
    return response


def many_now(
    request: MemberRequest, membership: Membership, done: Increased
) -> HttpResponse:
    """Tell what became of those who were ticked, each in their row, and start the foot
    anew.
    """
    tell_many(request, done.decided, done.passed_over)
    review = Review(membership, timezone.now())
    if not request.htmx or not review.waiting:
        return list_now(request, membership)
    context = _context(review) | {
        "done": [(one.request.pk, _decided_sentence(one)) for one in done.decided],
        "is_after": True,
    }
    response = render(request, "requests_inbox/_review_many.html", context)
    response["HX-Trigger"] = json.dumps(CHANGED)
    return response


def tell_many(
    request: MemberRequest, decided: list[Decided], passed_over: list[str]
) -> None:
    """The same for one amount that several got, or one answer."""
    for decision in decided:
        _send_mails(decision)
    dismissed = decided and decided[0].request.granted_nanos is None
    if dismissed:
        sentence = ngettext(
            "%(count)d request has been dismissed.",
            "%(count)d requests have been dismissed.",
            len(decided),
        )
        messages.success(request, sentence % {"count": len(decided)})
    elif decided:
        amount = format_usd(decided[0].request.granted_nanos or 0)
        sentence = ngettext(
            "%(count)d limit is now %(amount)s.",
            "%(count)d limits are now %(amount)s.",
            len(decided),
        )
        messages.success(request, sentence % {"count": len(decided), "amount": amount})
    for sentence in passed_over:
        messages.warning(request, sentence)


def _send_mails(decided: Decided) -> None:
    send_soon(decided.mails)


def _decided_sentence(decided: Decided) -> str:
    answered = decided.request
    names = {
        "name": answered.membership.user,
        "amount": format_usd(answered.granted_nanos or 0),
    }
    if answered.status == answered.Status.DISMISSED:
        return _("The request from %(name)s has been dismissed.") % names
    if answered.granted_tier:
        return _("%(name)s is now on a Premium seat.") % names
    if answered.granted_month_only:
        return _("The limit for %(name)s is now %(amount)s, this month only.") % names
    return _("The limit for %(name)s is now %(amount)s.") % names


def list_now(request: MemberRequest, membership: Membership) -> HttpResponse:
    """What waits now, read anew; the modal closes when nothing is left."""
    slug = membership.organization.slug
    review = Review(membership, timezone.now())
    if not request.htmx:
        return redirect(
            "review_requests" if review.waiting else "usage_settings", slug=slug
        )
    if not review.waiting:
        trigger = json.dumps(CHANGED | {"closeModal": {}})
        return HttpResponse(status=204, headers={"HX-Trigger": trigger})
    response = render(
        request,
        "requests_inbox/_review.html",
        _context(review) | {"after_decision": True},
    )
    response["HX-Trigger"] = json.dumps(CHANGED)
    response["HX-Retarget"], response["HX-Reswap"] = "#review", "outerHTML"
    return response


def row_or_whole(
    request: MemberRequest,
    review: Review,
    row: ReviewRow | None,
    *,
    request_id: int,
    status: int = 200,
) -> HttpResponse:
    """The row for HTMX, the page without; where the row is gone, the present list, and who
    decided what (R4).
    """
    if row is None:
        why = _why_gone(review, request_id)
        messages.warning(request, why)
        return row_now(request, review.membership, request_id=request_id, sentence=why)
    if not request.htmx:
        return whole(request, review, status=status)
    context = _context(review) | {"row": row, "is_after": True}
    return render(request, "requests_inbox/_review_row.html", context, status=status)


def _why_gone(review: Review, request_id: int) -> str:
    """Who decided the request that is no longer waiting, and how."""
    answered = (
        UsageRequest.objects.filter(
            organization=review.membership.organization, pk=request_id
        )
        .select_related(*PEOPLE)
        .first()
    )
    if answered is None:
        return _("This request has already been decided or has ended.")
    if answered.status in (answered.Status.APPROVED, answered.Status.DISMISSED):
        zone = review.membership.organization.timezone
        return decided_sentence(answered, zone=zone, now=review.now)
    return _(
        "The request from %(name)s has ended on its own, so there is nothing left to "
        "decide."
    ) % {"name": answered.membership.user}


def whole(
    request: MemberRequest,
    review: Review,
    *,
    ticked: list[int] | None = None,
    form: IncreaseForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The modal, or, without HTMX, the page with its foot open for all who are ticked."""
    context = _context(review) | {"plain": not request.htmx, "is_wide": True}
    if not request.htmx:
        context |= _foot_context(review, ticked or [], form or group_form())
    response = render_modal(
        request,
        "requests_inbox/review.html",
        context,
        title=_("Review requests"),
        name="review",
    )
    response.status_code = status
    return response


def foot(
    request: MemberRequest,
    review: Review,
    ticked: list[int],
    form: IncreaseForm,
    *,
    status: int = 200,
) -> HttpResponse:
    """The modal's foot: one amount for everybody ticked."""
    context = _foot_context(review, ticked, form)
    part = "group_preview" if "preview" in request.GET else "review_foot"
    return render(request, f"requests_inbox/_{part}.html", context, status=status)


def group_form(**options: Any) -> IncreaseForm:
    """The form of one amount for all who are ticked."""
    return IncreaseForm(auto_id="group-%s", **options)


def _foot_context(
    review: Review, ticked: list[int], form: IncreaseForm
) -> dict[str, Any]:
    waiting = [pk for pk in ticked if review.row(pk) is not None]
    return {
        "organization": review.membership.organization,
        "review": review,
        "ticked": waiting,
        "group_form": form,
        "group_effect": group_effect(review, waiting, form["amount"].value()),
    }


def _context(review: Review) -> dict[str, Any]:
    organization = review.membership.organization
    return {
        "review": review,
        "organization": organization,
        "membership": review.membership,
        "premium_text": premium_text(organization.plan),
        "settings_url": reverse("usage_settings", args=[organization.slug]),
        "ticked": [],
        "group_form": group_form(),
    }
