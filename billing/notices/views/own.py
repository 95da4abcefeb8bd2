"""The bell and one's own notices. Each person reads their own alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Role
from billing.models import NoticeDelivery
from billing.notices.actions.choices import choose, forget_choice
from billing.notices.actions.seen import mark_seen
from billing.notices.forms import ChoicesForm
from billing.notices.queries.bell import (
    last_told_at,
    newest,
    on_page,
    unread_count,
    with_notices,
)
from billing.notices.queries.own_choices import own_choices
from billing.notices.reader import NoticeReader
from config.kit.dates import zone_city_text

PAGE = 50
# No delivery has a higher number.
MOST = 2**63 - 1


@member_page()
@require_safe
def own_notices(request: MemberRequest, membership: Membership) -> HttpResponse:
    """All that a person was told on the page, what was overtaken too."""
    now = timezone.now()
    told = with_notices(on_page(membership))
    page = Paginator(told, PAGE).get_page(request.GET.get("page"))
    context = _list_context(membership, list(page), now=now)
    return render(request, "billing/notices/own_notices.html", context | {"page": page})


@member_page()
@require_safe
def bell(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The newest five, for the popover; to look is not to have read."""
    now = timezone.now()
    told = newest(membership)
    context = _list_context(membership, told, now=now)
    if not told:
        context["last_at"] = last_told_at(membership)
    return render(request, "billing/notices/_bell_list.html", context)


@member_page()
@require_POST
def notices_seen(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Mark what was shown as read; `noticesUnread` tells the bell what is left."""
    since, through = (_number(request.POST.get(name)) for name in ("since", "through"))
    mark_seen(membership, since=since, through=through, now=timezone.now())
    if request.htmx:
        request.tells_bell = True
        return HttpResponse(status=204)
    return redirect("own_notices", membership.organization.slug)


@member_page()
@require_POST
def notice_choices(request: MemberRequest, membership: Membership) -> HttpResponse:
    """How a person wants to be told of each kind; what they left alone keeps its default."""
    kinds = own_choices([membership])[membership.pk]
    form = ChoicesForm(request.POST, membership=membership, kinds=kinds)
    if not form.is_valid():
        messages.error(request, _("Choose page and mail, page, or nothing."))
    else:
        for kind in form.changed_data:
            if form.cleaned_data[kind]:
                choose(membership, kind=kind, told_by=form.cleaned_data[kind])
            else:
                forget_choice(membership, kind=kind)
        messages.success(request, _("Your settings are saved."))
    return redirect(f"{reverse('me')}#notices")


def _number(typed: str | None) -> int:
    """A delivery's number; 0 for anything else."""
    if typed is None or not (typed.isascii() and typed.isdigit()) or len(typed) > 19:
        return 0
    return min(int(typed), MOST)


def _list_context(
    membership: Membership, told: list[NoticeDelivery], *, now: dt.datetime
) -> dict[str, Any]:
    reader = NoticeReader(membership, now)
    return {
        "organization": membership.organization,
        "membership": membership,
        "entries": reader.entries(told),
        "unread": unread_count(membership, now),
        "is_owner": membership.is_at_least(Role.OWNER),
        "zone": reader.zone,
        "zone_city": zone_city_text(reader.zone),
        "month_on": reader.month_on,
        "oldest": min((one.pk for one in told), default=0),
        "newest": max((one.pk for one in told), default=0),
    }
