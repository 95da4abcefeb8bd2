"""At what an organization's people are told: percentages, soft limits, a low balance.
Owners only.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Plan, Role
from accounts.queries import member_by_ref
from billing.models import SoftLimit
from billing.notices.actions.changing import change_percents, change_soft_limit
from billing.notices.actions.settings import set_balance_low
from billing.notices.actions.soft_limits import add_soft_limit, remove_soft_limit
from billing.notices.forms import (
    LowBalanceForm,
    PercentsForm,
    SoftLimitAmountForm,
    SoftLimitForm,
)
from billing.notices.queries.choices import percents_of, settings_of
from billing.notices.reader import NoticeReader
from config.kit.errors import BusinessError
from config.kit.fields import refusals_on, typed_amount
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted

TITLES = {
    "organization": lambda: _("Organization cap"),
    "member": lambda: _("A person’s cap"),
    "included": lambda: _("Included usage"),
}


@member_page(Role.OWNER)
@get_or_post
def notice_percents(
    request: MemberRequest, membership: Membership, of: str
) -> HttpResponse:
    """The percentages of one kind of limit."""
    if of not in TITLES:
        raise Http404
    organization = membership.organization
    kept = getattr(percents_of(settings_of(organization.pk)), of)
    form = PercentsForm(posted(request), percents=kept)
    if form.is_valid():
        with refusals_on(form):
            change_percents(
                organization,
                of=of,
                percents=form.percents,
                actor=Actor.person(request.user),
                now=timezone.now(),
            )
            return _saved(request, membership, _("The thresholds are changed."))
    return _modal(
        request,
        membership,
        "percents",
        {"form": form, "subtitle": TITLES[of]()},
        title=_("Thresholds"),
    )


@member_page(Role.OWNER)
@get_or_post
def soft_limit_add(request: MemberRequest, membership: Membership) -> HttpResponse:
    """A new soft limit."""
    organization = membership.organization
    form = SoftLimitForm(
        posted(request),
        organization_name=organization.name,
        has_tiers=organization.plan == Plan.ENTERPRISE_SEAT,
    )
    if form.is_valid():
        with refusals_on(form):
            add_soft_limit(
                organization,
                level=form.level,
                seat_tier=form.seat_tier,
                membership=_member(membership, form),
                amount_nanos=form.cleaned_data["amount"],
                actor=Actor.person(request.user),
                now=timezone.now(),
            )
            return _saved(request, membership, _("The soft limit is added."))
    return _modal(
        request, membership, "soft_limit", {"form": form}, title=_("Add a soft limit")
    )


def _member(viewer: Membership, form: SoftLimitForm) -> Membership | None:
    """Whose it is, of one person. Raises BusinessError where nobody has the address."""
    if form.level != "member":
        return None
    try:
        found = member_by_ref(viewer.organization, form.cleaned_data["member"])
    except BusinessError as refused:
        refused.field = "member"
        raise
    if not found.is_active:
        raise BusinessError(
            _("%(who)s is no longer a member.") % {"who": found.user},
            code="member_inactive",
            field="member",
        )
    return found


@member_page(Role.OWNER)
@get_or_post
def soft_limit_edit(
    request: MemberRequest, membership: Membership, limit_id: int
) -> HttpResponse:
    """Another amount of a soft limit, or its end."""
    limit = get_object_or_404(
        SoftLimit.objects.select_related("organization", "membership__user"),
        organization=membership.organization,
        pk=limit_id,
    )
    actor, now = Actor.person(request.user), timezone.now()
    if request.method == "POST" and "remove" in request.POST:
        remove_soft_limit(limit.organization, limit_id=limit.pk, actor=actor, now=now)
        return _saved(request, membership, _("The soft limit is removed."))
    form = SoftLimitAmountForm(
        posted(request), initial={"amount": typed_amount(limit.amount_nanos)}
    )
    if form.is_valid():
        with refusals_on(form):
            amount = form.cleaned_data["amount"]
            change_soft_limit(limit, amount_nanos=amount, actor=actor, now=now)
            return _saved(request, membership, _("The soft limit is changed."))
    return _modal(
        request,
        membership,
        "soft_limit",
        {"form": form, "limit": limit},
        title=_("Soft limit"),
    )


@member_page(Role.OWNER)
@get_or_post
def notices_low_balance(request: MemberRequest, membership: Membership) -> HttpResponse:
    """When a prepaid balance counts as low."""
    page = NoticeReader(membership, timezone.now())
    if not page.is_prepaid:
        raise Http404
    kept = settings_of(page.organization.pk).balance_low_nanos
    form = LowBalanceForm(posted(request), initial={"amount": typed_amount(kept)})
    if form.is_valid():
        with refusals_on(form):
            set_balance_low(
                page.organization,
                amount_nanos=form.cleaned_data["amount"],
                actor=Actor.person(request.user),
                now=page.now,
            )
            return _saved(request, membership, _("The thresholds are changed."))
    return _modal(request, membership, "choice", {"form": form}, title=_("Balance"))


def _modal(
    request: MemberRequest,
    membership: Membership,
    name: str,
    context: dict[str, Form | SoftLimit | str],
    *,
    title: str,
) -> HttpResponse:
    shared: dict[str, Any] = {
        "organization": membership.organization,
        "back": "notices",
    }
    return render_modal(
        request,
        f"billing/notices/{name}.html",
        shared | context,
        title=title,
        name=name.replace("_", "-"),
    )


def _saved(
    request: MemberRequest, membership: Membership, sentence: str
) -> HttpResponse:
    messages.success(request, sentence)
    page = reverse("notices", args=[membership.organization.slug])
    return saved(request, "noticesChanged", "capChanged", then=page)
