"""The review modal and its decisions.

Admins and owners; every decision answers with the list as it is now.
"""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Role
from config.kit.errors import BusinessError
from config.kit.fields import refusals_on
from config.kit.htmx import part_of, unchanged_or_html
from config.kit.http import get_or_post, posted
from config.kit.ids import is_row_id
from requests_inbox.actions.deciding import (
    Reviewer,
    dismiss_request,
    dismiss_requests,
    increase_limit,
    increase_limits,
    move_to_premium,
)
from requests_inbox.views import answers
from requests_inbox.views.review_rows import Review, dismiss_form, increase_form

MOST_TICKED = 1_000


@member_page(Role.ADMIN)
@require_safe
def review(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Everything that waits, as a modal or a page."""
    return answers.whole(request, Review(membership, timezone.now()))


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
@part_of("usage_settings")
def banner(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The banner of Settings › Usage and the navigation's count, by themselves."""
    context = {
        "organization": membership.organization,
        "membership": membership,
        "swap_around": True,
    }
    return unchanged_or_html(request, "requests_inbox/_banner.html", context)


@member_page(Role.ADMIN)
@get_or_post
def increase(
    request: MemberRequest, membership: Membership, request_id: int
) -> HttpResponse:
    """The amount inside a row, and saving it."""
    now = timezone.now()
    form = increase_form(request_id, data=posted(request))
    if form.is_valid():
        try:
            decided = increase_limit(
                membership.organization,
                request_id=request_id,
                amount_nanos=form.cleaned_data["amount"],
                this_month_only=form.this_month_only,
                by=Reviewer.person(membership),
                now=now,
            )
        except BusinessError as refusal:
            if refusal.field is None:
                return answers.refused(
                    request, membership, refusal, request_id=request_id
                )
            form.add_error("amount", refusal.message)
        else:
            return answers.accepted(request, membership, decided)
    waiting = Review(membership, now)
    row = waiting.row(request_id)
    if not form.is_bound:
        if row is not None:
            row.open_increase()
        return answers.row_or_whole(request, waiting, row, request_id=request_id)
    if row is not None:
        row.open_increase(form, typed=request.POST.get("amount", ""))
    return answers.row_or_whole(
        request, waiting, row, request_id=request_id, status=422
    )


@member_page(Role.ADMIN)
@require_safe
def increase_preview(
    request: MemberRequest, membership: Membership, request_id: int
) -> HttpResponse:
    """What the typed amount would do, and the button that says so."""
    waiting = Review(membership, timezone.now())
    row = waiting.row(request_id)
    if row is None:
        return HttpResponse(status=204)
    row.open_increase(typed=request.GET.get("amount", ""))
    return render(request, "requests_inbox/_increase_foot.html", {"row": row})


@member_page(Role.ADMIN)
@get_or_post
def premium(
    request: MemberRequest, membership: Membership, request_id: int
) -> HttpResponse:
    """What a premium seat brings, inside the row, and moving the requester to one."""
    if request.method != "POST":
        waiting = Review(membership, timezone.now())
        row = waiting.row(request_id)
        if row is not None and row.can_move:
            row.opened = "premium"
        return answers.row_or_whole(request, waiting, row, request_id=request_id)
    try:
        decided = move_to_premium(
            membership.organization,
            request_id=request_id,
            by=Reviewer.person(membership),
            now=timezone.now(),
        )
    except BusinessError as refusal:
        return answers.refused(request, membership, refusal, request_id=request_id)
    return answers.accepted(request, membership, decided)


@member_page(Role.ADMIN)
@get_or_post
def dismiss(
    request: MemberRequest, membership: Membership, request_id: int
) -> HttpResponse:
    """The note inside a row, and saying no."""
    now = timezone.now()
    form = dismiss_form(request_id, data=posted(request))
    if form.is_valid():
        try:
            decided = dismiss_request(
                membership.organization,
                request_id=request_id,
                note=form.cleaned_data["note"],
                by=Reviewer.person(membership),
                now=now,
            )
        except BusinessError as refusal:
            return answers.refused(request, membership, refusal, request_id=request_id)
        return answers.accepted(request, membership, decided)
    waiting = Review(membership, now)
    row = waiting.row(request_id)
    if row is not None:
        row.open_dismiss(form)
    status = 422 if form.is_bound else 200
    return answers.row_or_whole(
        request, waiting, row, request_id=request_id, status=status
    )


@member_page(Role.ADMIN)
@require_safe
def row(
    request: MemberRequest, membership: Membership, request_id: int
) -> HttpResponse:
    """A row as it was before something was opened inside it."""
    waiting = Review(membership, timezone.now())
    return answers.row_or_whole(
        request, waiting, waiting.row(request_id), request_id=request_id
    )


@member_page(Role.ADMIN)
@get_or_post
def increase_ticked(request: MemberRequest, membership: Membership) -> HttpResponse:
    """One amount for everybody ticked: the modal's foot, and saving it."""
    now = timezone.now()
    if "dismiss" in request.POST:
        return _dismiss_ticked(request, membership, now=now)
    form = answers.group_form(data=posted(request), initial=_typed(request.GET))
    ticked = _ticked(request.POST if form.is_bound else request.GET)
    if form.is_bound and not ticked:
        form.add_error(None, _("Select at least one person."))
    if form.is_valid():
        with refusals_on(form, amount_usd="amount"):
            done = increase_limits(
                membership.organization,
                request_ids=ticked,
                amount_nanos=form.cleaned_data["amount"],
                this_month_only=form.this_month_only,
                by=Reviewer.person(membership),
                now=now,
            )
            return answers.many_now(request, membership, done)
    waiting = Review(membership, now)
    if request.htmx or not form.is_bound:
        status = 422 if form.is_bound else 200
        return answers.foot(request, waiting, ticked, form, status=status)
    return answers.whole(request, waiting, ticked=ticked, form=form, status=422)


def _dismiss_ticked(
    request: MemberRequest, membership: Membership, *, now: dt.datetime
) -> HttpResponse:
    """The same answer for everybody ticked: no."""
    ticked = _ticked(request.POST)
    try:
        done = dismiss_requests(
            membership.organization,
            request_ids=ticked,
            by=Reviewer.person(membership),
            now=now,
        )
    except BusinessError as refusal:
        messages.warning(request, refusal.message)
        return answers.list_now(request, membership)
    if not ticked:
        messages.warning(request, _("Select at least one person."))
    return answers.many_now(request, membership, done)


def _typed(data: QueryDict) -> dict[str, str]:
    """What is typed in the foot while people are ticked."""
    names = ("amount", "applies")
    return {name: text[:60] for name in names if (text := data.get(name, ""))}


def _ticked(data: QueryDict) -> list[int]:
    return [int(pk) for pk in data.getlist("ticked")[:MOST_TICKED] if is_row_id(pk)]
