"""Modals that set a spend cap at one of the three levels, and the preview of what it
would do. Owners only.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from billing.caps.forms import CapForm
from billing.caps.views.targets import (
    CapTarget,
    MemberTarget,
    OrganizationTarget,
    SeatTarget,
)
from config.kit.errors import BusinessError
from config.kit.fields import typed_amount
from config.kit.money import AmountError, parse_amount

SAVED = json.dumps({"capChanged": {}, "closeModal": {}})
modal = require_http_methods(["GET", "HEAD", "POST"])


@member_page(Role.OWNER)
@modal
def organization_cap(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Adjust the organization's cap."""
    return _cap_modal(request, OrganizationTarget(membership, now=timezone.now()))


@member_page(Role.OWNER)
@modal
def seat_cap(request: HttpRequest, membership: Membership, tier: str) -> HttpResponse:
    """Edit the cap of a seat tier."""
    return _cap_modal(request, SeatTarget(membership, now=timezone.now(), tier=tier))


@member_page(Role.OWNER)
@modal
def member_cap(
    request: HttpRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Edit one person's cap."""
    return _cap_modal(request, _member_target(membership, membership_id))


@member_page(Role.OWNER)
@require_safe
def organization_cap_preview(
    request: HttpRequest, membership: Membership
) -> HttpResponse:
    """What the typed organization cap would do."""
    return _preview(request, OrganizationTarget(membership, now=timezone.now()))


@member_page(Role.OWNER)
@require_safe
def seat_cap_preview(
    request: HttpRequest, membership: Membership, tier: str
) -> HttpResponse:
    """What the typed seat cap would do."""
    return _preview(request, SeatTarget(membership, now=timezone.now(), tier=tier))


@member_page(Role.OWNER)
@require_safe
def member_cap_preview(
    request: HttpRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """What the typed cap of one person would do."""
    return _preview(request, _member_target(membership, membership_id))


def _member_target(membership: Membership, membership_id: int) -> MemberTarget:
    people = Membership.objects.active().select_related("user", "organization")
    person = get_object_or_404(
        people, organization=membership.organization, pk=membership_id
    )
    return MemberTarget(membership, now=timezone.now(), person=person)


def _cap_modal(request: HttpRequest, target: CapTarget) -> HttpResponse:
    if request.method == "POST":
        return _save(request, target)
    typed = request.GET.get("amount", "") or typed_amount(target.cap.amount_nanos)
    form = CapForm(initial={"amount": typed, "this_month_only": target.cap.month_only})
    return _render(request, target, form, typed=typed)


def _save(request: HttpRequest, target: CapTarget) -> HttpResponse:
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


def _saved(request: HttpRequest, target: CapTarget) -> HttpResponse:
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Trigger": SAVED})
    return redirect("usage_settings", slug=target.organization.slug)


def _render(
    request: HttpRequest,
    target: CapTarget,
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


def _preview(request: HttpRequest, target: CapTarget) -> HttpResponse:
    month_only = "this_month_only" in request.GET
    effect = _effect(target, request.GET.get("amount", ""), month_only=month_only)
    return render(
        request,
        "billing/caps/_cap_preview.html",
        effect | {"target": target, "swap_hint": True},
    )


def _effect(target: CapTarget, typed: str, *, month_only: bool) -> dict[str, Any]:
    try:
        amount = parse_amount(typed.replace("\0", ""))
    except AmountError:
        return {"preview": None, "hint": target.month_only_hint(month_only)}
    return {
        "preview": target.preview(amount),
        "hint": target.month_only_hint(month_only),
    }
