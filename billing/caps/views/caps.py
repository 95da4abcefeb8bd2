"""Modals that set a spend cap at one of the three levels, and the preview of what it
would do. Owners only.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Plan, Role, Tier
from accounts.undoing import say_with_undo
from billing.caps.forms import CapForm
from billing.caps.queries.caps import CapTarget, member_target, seat_tier_target
from billing.caps.views.modal import CapModal
from config.kit.fields import refusals_on, typed_amount
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post
from config.kit.money import AmountError, parse_amount


@member_page(Role.OWNER)
@get_or_post
def cap(
    request: MemberRequest,
    membership: Membership,
    tier: str | None = None,
    membership_id: int | None = None,
) -> HttpResponse:
    """Edit a cap: a seat tier's, a member's, or the organization's own."""
    return _cap_modal(request, _shown(membership, tier, membership_id))


@member_page(Role.OWNER)
@require_safe
def cap_preview(
    request: MemberRequest,
    membership: Membership,
    tier: str | None = None,
    membership_id: int | None = None,
) -> HttpResponse:
    """What the typed cap would do."""
    return _preview(request, _shown(membership, tier, membership_id))


def _shown(viewer: Membership, tier: str | None, membership_id: int | None) -> CapModal:
    """The cap that the address names.

    Raises Http404 for a seat tier where the plan has no seat caps, or for somebody who
    is no active member here.
    """
    organization = viewer.organization
    target = CapTarget(organization)
    if tier is not None:
        if tier not in Tier.values or organization.plan != Plan.ENTERPRISE_SEAT:
            raise Http404
        target = seat_tier_target(organization, tier)
    elif membership_id is not None:
        members = Membership.objects.active().select_related("user", "organization")
        target = member_target(
            organization,
            get_object_or_404(members, organization=organization, pk=membership_id),
        )
    return CapModal(viewer, target, timezone.now())


def _cap_modal(request: MemberRequest, target: CapModal) -> HttpResponse:
    if request.method != "POST":
        typed = request.GET.get("amount", "") or typed_amount(target.cap.amount_nanos)
        kept = {"amount": typed, "this_month_only": target.cap.month_only}
        return _render(request, target, CapForm(initial=kept), typed=typed)
    unlimited = "unlimited" in request.POST
    form = CapForm(request.POST, unlimited=unlimited)
    if form.is_valid():
        with refusals_on(form):
            change = target.save(
                None if unlimited else form.cleaned_data["amount"],
                this_month_only=form.cleaned_data["this_month_only"],
                actor=Actor.person(request.user),
            )
            say_with_undo(
                request,
                target.saved_sentence(change),
                organization=target.organization,
                entries=[change.audit.pk if change.audit else None],
            )
            back = reverse("usage_settings", args=[target.organization.slug])
            return saved(request, "capChanged", then=back)
    return _render(request, target, form, typed=request.POST.get("amount", ""))


def _render(
    request: MemberRequest, target: CapModal, form: CapForm, *, typed: str
) -> HttpResponse:
    month_only = bool(form["this_month_only"].value())
    context = {
        "target": target,
        "form": form,
        "organization": target.organization,
        "membership": target.viewer,
        "subtitle": target.subject,
        **_effect(target, typed, month_only=month_only),
        # Without scripts the label can't follow the tick.
        **({} if request.htmx else {"unlimited_label": target.unlimited_text()}),
    }
    if form.errors:  # the field says why
        context["unreadable"] = ""
    return render_modal(
        request,
        "billing/caps/cap.html",
        context,
        title=_("Monthly spend cap"),
        name="cap",
    )


def _preview(request: MemberRequest, target: CapModal) -> HttpResponse:
    month_only = "this_month_only" in request.GET
    effect = _effect(target, request.GET.get("amount", ""), month_only=month_only)
    return render(
        request,
        "billing/caps/_cap_preview.html",
        effect | {"target": target, "swap_hint": True},
    )


def _effect(target: CapModal, typed: str, *, month_only: bool) -> dict[str, Any]:
    """What an amount would do, or why it can't be read; nothing is said of an empty one."""
    preview, unreadable, typed = None, "", typed.replace("\0", "").strip()
    try:
        preview = target.preview(parse_amount(typed))
    except AmountError as error:
        unreadable = str(error) if typed else ""
    return {
        "preview": preview,
        "unreadable": unreadable,
        "hint": target.month_only_hint(month_only),
        "unlimited_label": target.unlimited_text(this_month_only=month_only),
    }
