"""Usage of somebody unknown (X2): the part of Settings › Connect that lists it, the page
of it alone, assigning it to a member, and what is done about somebody unknown. For owners.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.actions.unknown import set_unknown_people
from accounts.models import Membership, Organization, Role
from billing.metering.actions.assigning import (
    Assigned,
    assign_usage,
    preview_assignment,
)
from billing.metering.forms import MOST_LISTED, AssignForm, UnknownForm
from billing.metering.queries.unattributed import open_names, open_usage, proposals
from billing.models import UnattributedName
from config.kit.fields import refusals_on
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted
from config.kit.money import format_usd

PAGE_SIZE = 50
# What the part listens to, wherever it stands.
CHANGED = "unattributedChanged"


def unattributed_part(
    organization: Organization, now: dt.datetime, *, page: str | None = None
) -> dict[str, Any]:
    """What `billing/metering/_unattributed.html` shows, for the page that includes it:
    the newest names first, with a proposal where one member is probably meant. `now` is
    an aware UTC instant.
    """
    names = Paginator(open_names(organization.pk).order_by("-pk"), PAGE_SIZE)
    shown = names.get_page(page)
    proposed = proposals(organization, shown.object_list)
    return {
        "organization": organization,
        "unattributed": open_usage(organization.pk),
        "unattributed_page": shown,
        "unattributed_rows": [(name, proposed.get(name.pk)) for name in shown],
        "unknown_form": UnknownForm(organization=organization),
        "zone": organization.zone_at(now),
    }


@member_page(Role.OWNER)
@require_safe
def unattributed(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The part as a page of its own, or for HTMX alone."""
    context = unattributed_part(
        membership.organization, timezone.now(), page=request.GET.get("page")
    )
    name = "_unattributed" if request.htmx else "unattributed"
    return render(request, f"billing/metering/{name}.html", context)


@member_page(Role.OWNER)
@get_or_post
def unattributed_assign(
    request: MemberRequest, membership: Membership, name_id: int
) -> HttpResponse:
    """Whose the usage under a name is: what would move, and moving it."""
    organization = membership.organization
    name = get_object_or_404(UnattributedName, organization=organization, pk=name_id)
    asked = request.GET if request.GET.get("member") else None
    form = AssignForm(posted(request) or asked, organization=organization)
    would: Assigned | None = None
    if form.is_valid():
        member = form.cleaned_data["member"]
        with refusals_on(form):
            if request.method == "POST":
                return _assigned(request, name, member)
            would = preview_assignment(name, member)
    return _assign_modal(request, organization, form, name, would)


def _assigned(
    request: MemberRequest, name: UnattributedName, member: Membership
) -> HttpResponse:
    """Assign, and say how much that was. Raises what `assign_usage` raises."""
    actor = Actor.person(request.user)
    done = assign_usage(name, member, actor=actor, now=timezone.now())
    words = {
        "name": name.sent_as,
        "member": str(member.user),
        "events": _events(done.events),
        "amount": format_usd(done.cost_nanos),
        "left": _events(done.left),
    }
    if done.left:
        sentence = _(
            "%(events)s (%(amount)s) of %(name)s are now %(member)s's. %(left)s are "
            "left: assign them in the same way."
        )
    else:
        sentence = _("%(events)s (%(amount)s) of %(name)s are now %(member)s's.")
    messages.success(request, sentence % words)
    return _back(request, request.membership.organization)


def _back(request: MemberRequest, organization: Organization) -> HttpResponse:
    """Tell the part, wherever it stands; without HTMX go to the page of it alone."""
    back = reverse("unattributed", args=[organization.slug])
    return saved(request, CHANGED, then=back)


def _events(number: int) -> str:
    text = ngettext("%(count)s event", "%(count)s events", number)
    return text % {"count": f"{number:,}"}


def _assign_modal(
    request: MemberRequest,
    organization: Organization,
    form: AssignForm,
    name: UnattributedName,
    would: Assigned | None,
) -> HttpResponse:
    members = organization.memberships.active().select_related("user")
    context = {
        "form": form,
        "organization": organization,
        "name": name,
        "would": would,
        "member": form.cleaned_data.get("member") if form.is_valid() else None,
        "month_on": organization.calendar.month_at(timezone.now()).first_on,
        "listed": members.order_by("user__name", "pk")[:MOST_LISTED],
        "subtitle": name.sent_as,
        "back": "unattributed",
    }
    return render_modal(
        request,
        "billing/metering/assign.html",
        context,
        title=_("Assign unattributed usage"),
        name="assign",
    )


@member_page(Role.OWNER)
@require_POST
def unknown_people(request: MemberRequest, membership: Membership) -> HttpResponse:
    """What a check does for somebody unknown, from the next one on."""
    organization = membership.organization
    form = UnknownForm(request.POST, organization=organization)
    if form.is_valid():
        with refusals_on(form):
            set_unknown_people(
                organization,
                choice=form.cleaned_data["unknown_people"],
                actor=Actor.person(request.user),
                now=timezone.now(),
            )
            messages.success(request, _("The setting is saved."))
            return _back(request, organization)
    context = unattributed_part(organization, timezone.now()) | {"unknown_form": form}
    name = "_unattributed" if request.htmx else "unattributed"
    return render(request, f"billing/metering/{name}.html", context, status=422)
