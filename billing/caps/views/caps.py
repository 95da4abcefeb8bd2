"""Modals that set a spend cap at one of the three levels, and the preview of what it
would do. Owners only.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Plan, Role, Tier
from billing.caps.forms import CapForm
from billing.caps.queries.caps import CapTarget, member_target, seat_tier_target
from billing.caps.views.modal import CapModal
from config.kit.errors import BusinessError
from config.kit.fields import typed_amount
from config.kit.money import AmountError, parse_amount

SAVED = json.dumps({"capChanged": {}, "closeModal": {}})
modal = require_http_methods(["GET", "HEAD", "POST"])


@member_page(Role.OWNER)
@modal
def cap(
    request: HttpRequest,
    membership: Membership,
    tier: str | None = None,
    membership_id: int | None = None,
) -> HttpResponse:
    """Edit a cap: a seat tier's, a member's, or the organization's own."""
    return _cap_modal(request, _shown(membership, tier, membership_id))


@member_page(Role.OWNER)
@require_safe
def cap_preview(
    request: HttpRequest,
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


def _cap_modal(request: HttpRequest, target: CapModal) -> HttpResponse:
    if request.method == "POST":
        return _save(request, target)
    typed = request.GET.get("amount", "") or typed_amount(target.cap.amount_nanos)
    form = CapForm(initial={"amount": typed, "this_month_only": target.cap.month_only})
    return _render(request, target, form, typed=typed)


def _save(request: HttpRequest, target: CapModal) -> HttpResponse:
    unlimited = "unlimited" in request.POST
    form = CapForm(request.POST, unlimited=unlimited)
    if form.is_valid():
        amount = None if unlimited else form.cleaned_data["amount"]
        try:
            change = target.save(
                amount,
                this_month_only=form.cleaned_data["this_month_only"],
                actor=Actor.person(request.user),  # type: ignore[arg-type]
            )
        except BusinessError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, target.saved_sentence(change))
            return _saved(request, target)
    return _render(
        request, target, form, typed=request.POST.get("amount", ""), status=422
    )


def _saved(request: HttpRequest, target: CapModal) -> HttpResponse:
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Trigger": SAVED})
    return redirect("usage_settings", slug=target.organization.slug)


def _render(
    request: HttpRequest,
    target: CapModal,
    form: CapForm,
    *,
    typed: str,
    status: int = 200,
) -> HttpResponse:
    month_only = bool(form["this_month_only"].value())
    context = {
        "target": target,
        "form": form,
        "organization": target.organization,
        "membership": target.viewer,
    }
    template = (
        "billing/caps/_cap_modal.html"
        if getattr(request, "htmx", False)
        else "billing/caps/cap.html"
    )
    return render(
        request,
        template,
        context | _effect(target, typed, month_only=month_only),
        status=status,
    )


def _preview(request: HttpRequest, target: CapModal) -> HttpResponse:
    month_only = "this_month_only" in request.GET
    effect = _effect(target, request.GET.get("amount", ""), month_only=month_only)
    return render(
        request,
        "billing/caps/_cap_preview.html",
        effect | {"target": target, "swap_hint": True},
    )


def _effect(target: CapModal, typed: str, *, month_only: bool) -> dict[str, Any]:
    try:
        amount = parse_amount(typed.replace("\0", ""))
    except AmountError:
        return {"preview": None, "hint": target.month_only_hint(month_only)}
    return {
        "preview": target.preview(amount),
        "hint": target.month_only_hint(month_only),
    }
