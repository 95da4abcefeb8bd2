"""The review modal and its decisions.

Admins and owners; every decision answers with the list as it is now.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.access import member_page
from accounts.models import Membership, Role
from accounts.tasks import send_mail
from config.kit.errors import BusinessError
from config.kit.money import format_usd
from requests_inbox.actions.deciding import (
    Decided,
    Reviewer,
    dismiss_request,
    increase_limit,
    increase_limits,
    move_to_premium,
)
from requests_inbox.forms import DismissForm, IncreaseForm
from requests_inbox.views.review_rows import Review, ReviewRow

MOST_TICKED = 1_000
form_view = require_http_methods(["GET", "HEAD", "POST"])


@member_page(Role.ADMIN)
@require_safe
def review(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Everything that waits, as a modal or a page."""
    return _whole(request, Review(membership, timezone.now()))


@member_page(Role.ADMIN)
@require_safe
def banner(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The banner of Settings › Usage and the navigation's count, by themselves."""
    context = {
        "organization": membership.organization,
        "membership": membership,
        "is_part": True,
    }
    return render(request, "requests_inbox/_banner.html", context)


@member_page(Role.ADMIN)
@form_view
def increase(
    request: HttpRequest, membership: Membership, request_id: int
) -> HttpResponse:
    """The amount inside a row, and saving it."""
    shown, now = Review(membership, timezone.now()), timezone.now()
    if request.method != "POST":
        row = shown.row(request_id)
        if row is not None:
            shown.open_increase(row)
        return _row_or_whole(request, shown, row)
    form = IncreaseForm(request.POST)
    if form.is_valid():
        act = lambda: increase_limit(  # noqa: E731
            membership.organization,
            request_id=request_id,
            amount_nanos=form.cleaned_data["amount"],
            this_month_only=form.this_month_only,
            by=Reviewer.person(membership),
            now=now,
        )
        refusal = _attempt(request, act)
        if refusal is None or refusal.field is None:
            return _decided(request, membership, refusal)
        form.add_error("amount", refusal.message)
    # Only now: a decision that works answers with the list after it.
    row = shown.row(request_id)
    if row is None:
        return _decided(request, membership, None)
    shown.open_increase(row, form=form, typed=request.POST.get("amount", ""))
    return _row_or_whole(request, shown, row, status=422)


@member_page(Role.ADMIN)
@require_safe
def increase_preview(
    request: HttpRequest, membership: Membership, request_id: int
) -> HttpResponse:
    """What the typed amount would do, and the button that says so."""
    shown = Review(membership, timezone.now())
    row = shown.row(request_id)
    if row is None:
        return HttpResponse(status=204)
    shown.open_increase(row, typed=request.GET.get("amount", ""))
    return render(request, "requests_inbox/_increase_foot.html", {"row": row})


@member_page(Role.ADMIN)
@require_POST
def premium(
    request: HttpRequest, membership: Membership, request_id: int
) -> HttpResponse:
    """Move the requester to a premium seat."""
    by, now = Reviewer.person(membership), timezone.now()

    def act():
        return move_to_premium(
            membership.organization, request_id=request_id, by=by, now=now
        )

    return _decided(request, membership, _attempt(request, act))


@member_page(Role.ADMIN)
@form_view
def dismiss(
    request: HttpRequest, membership: Membership, request_id: int
) -> HttpResponse:
    """The note inside a row, and saying no."""
    shown, now = Review(membership, timezone.now()), timezone.now()
    form = DismissForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        act = lambda: dismiss_request(  # noqa: E731
            membership.organization,
            request_id=request_id,
            note=form.cleaned_data["note"],
            by=Reviewer.person(membership),
            now=now,
        )
        return _decided(request, membership, _attempt(request, act))
    row = shown.row(request_id)
    if row is not None:
        shown.open_dismiss(row, form=form)
    return _row_or_whole(
        request, shown, row, status=422 if request.method == "POST" else 200
    )


@member_page(Role.ADMIN)
@require_safe
def row(request: HttpRequest, membership: Membership, request_id: int) -> HttpResponse:
    """A row as it was before something was opened inside it."""
    shown = Review(membership, timezone.now())
    return _row_or_whole(request, shown, shown.row(request_id))


@member_page(Role.ADMIN)
@form_view
def increase_ticked(request: HttpRequest, membership: Membership) -> HttpResponse:
    """One amount for everybody ticked: the modal's foot, and saving it."""
    shown, now = Review(membership, timezone.now()), timezone.now()
    asked = request.POST if request.method == "POST" else request.GET
    ticked = _ticked(asked)
    if request.method != "POST":
        return render(
            request,
            "requests_inbox/_review_foot.html",
            _foot(shown, ticked, IncreaseForm()),
        )
    form = IncreaseForm(request.POST)
    if not ticked:
        form.add_error(None, _("Select at least one person."))
    if form.is_valid():
        try:
            done = increase_limits(
                membership.organization,
                request_ids=ticked,
                amount_nanos=form.cleaned_data["amount"],
                this_month_only=form.this_month_only,
                by=Reviewer.person(membership),
                now=now,
            )
        except BusinessError as error:
            form.add_error(
                "amount" if error.field == "amount_usd" else None, error.message
            )
        else:
            _tell_many(request, done.decided, done.passed_over)
            return _decided(request, membership, None)
    if not getattr(request, "htmx", False):
        return render(
            request,
            "requests_inbox/review.html",
            _context(shown) | _foot(shown, ticked, form),
            status=422,
        )
    return render(
        request,
        "requests_inbox/_review_foot.html",
        _foot(shown, ticked, form),
        status=422,
    )


def _ticked(asked: QueryDict) -> list[int]:
    return [
        int(one)
        for one in asked.getlist("ticked")[:MOST_TICKED]
        if one.isascii() and one.isdigit() and len(one) < 19
    ]


def _foot(shown: Review, ticked: list[int], form: IncreaseForm) -> dict[str, Any]:
    here = [pk for pk in ticked if shown.row(pk) is not None]
    return {
        "organization": shown.membership.organization,
        "review": shown,
        "ticked": here,
        "group_form": form,
    }


def _attempt(request: HttpRequest, act: Callable[[], Decided]) -> BusinessError | None:
    """Decide, tell the reviewer and send the member's mail; the refusal when there is one."""
    try:
        done = act()
    except BusinessError as error:
        return error
    _send(done)
    messages.success(request, _done_sentence(done))
    return None


def _send(done: Decided) -> None:
    for mail in done.mails:
        send_mail.delay_on_commit(mail)


def _tell_many(
    request: HttpRequest, decided: list[Decided], passed_over: list[str]
) -> None:
    for one in decided:
        _send(one)
    if decided:
        amount = format_usd(decided[0].request.granted_nanos or 0)
        sentence = ngettext(
            "%(count)d limit is now %(amount)s.",
            "%(count)d limits are now %(amount)s.",
            len(decided),
        )
        messages.success(request, sentence % {"count": len(decided), "amount": amount})
    for sentence in passed_over:
        messages.warning(request, sentence)


def _done_sentence(done: Decided) -> str:
    words = {
        "name": done.request.membership.user,
        "amount": format_usd(done.request.granted_nanos or 0),
    }
    if done.request.status == done.request.Status.DISMISSED:
        return _("The request from %(name)s has been dismissed.") % words
    if done.request.granted_tier:
        return _("%(name)s is now on a Premium seat.") % words
    if done.request.granted_month_only:
        return _("The limit for %(name)s is now %(amount)s, this month only.") % words
    return _("The limit for %(name)s is now %(amount)s.") % words


def _decided(
    request: HttpRequest, membership: Membership, refusal: BusinessError | None
) -> HttpResponse:
    """The list after a decision, or after somebody else's; the modal closes when
    nothing is left.
    """
    if refusal is not None:
        messages.warning(request, refusal.message)
    slug = membership.organization.slug
    shown = Review(membership, timezone.now())
    if not getattr(request, "htmx", False):
        return (
            redirect("review_requests", slug=slug)
            if shown.waiting
            else redirect("usage_settings", slug=slug)
        )
    events: dict[str, Any] = {"capChanged": {}, "requestsChanged": {}}
    if not shown.waiting:
        return HttpResponse(
            status=204, headers={"HX-Trigger": json.dumps(events | {"closeModal": {}})}
        )
    response = render(
        request,
        "requests_inbox/_review.html",
        _context(shown) | {"after_decision": True},
    )
    response["HX-Trigger"] = json.dumps(events)
    response["HX-Retarget"], response["HX-Reswap"] = "#review", "outerHTML"
    return response


def _row_or_whole(
    request: HttpRequest, shown: Review, row: ReviewRow | None, *, status: int = 200
) -> HttpResponse:
    """The row for HTMX, the page without; the present list when the row is gone."""
    if not getattr(request, "htmx", False):
        if row is None and not shown.waiting:
            raise Http404
        return _whole(request, shown, status=status)
    if row is None:
        messages.warning(
            request, _("This request has already been decided or has ended.")
        )
        return _decided(request, shown.membership, None)
    return render(
        request,
        "requests_inbox/_review_row.html",
        _context(shown) | {"row": row},
        status=status,
    )


def _whole(request: HttpRequest, shown: Review, *, status: int = 200) -> HttpResponse:
    is_part = getattr(request, "htmx", False)
    template = (
        "requests_inbox/_review_modal.html" if is_part else "requests_inbox/review.html"
    )
    context = _context(shown)
    if not is_part:
        context |= _foot(shown, [], IncreaseForm()) | {"plain": True}
    return render(request, template, context, status=status)


def _context(shown: Review) -> dict[str, Any]:
    organization = shown.membership.organization
    return {
        "review": shown,
        "organization": organization,
        "membership": shown.membership,
        "settings_url": reverse("usage_settings", args=[organization.slug]),
        "ticked": [],
        "group_form": IncreaseForm(),
    }
