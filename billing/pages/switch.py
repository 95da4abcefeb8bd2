"""Turning extra usage on (with its first caps) and off, and choosing for whom.

Owners only; confirmed before it is on.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from billing.caps.actions.switch import enable_extra_usage, set_extra_usage
from billing.caps.views.selection import selection_context
from billing.funding.rules.standing import Cap
from billing.models import CapLevel, ExtraUsageScope
from billing.pages.forms import EnableForm
from billing.pages.usage_parts import UsagePage
from config.kit.errors import BusinessError
from config.kit.fields import typed_amount

modal = require_http_methods(["GET", "HEAD", "POST"])


@member_page(Role.OWNER)
@modal
def enable(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The modal behind Enable: organization cap, seat caps, for whom."""
    page = UsagePage(membership, timezone.now())
    if page.is_usage_based or page.is_on:  # nothing to enable
        return redirect("usage_settings", slug=membership.organization.slug)
    if page.is_prepaid:
        return redirect(
            "enable_step",
            slug=membership.organization.slug,
            step=page.balance.setup_step,
        )
    posted = request.POST if request.method == "POST" else None
    form = EnableForm(
        posted, plan=membership.organization.plan, initial=caps_now(page.caps)
    )
    if form.is_valid():
        try:
            return _enabled(request, page, form)
        except BusinessError as error:
            form.add_error(None, error.message)
    return _modal(
        request,
        "enable",
        page,
        {"form": form},
        status=422 if request.method == "POST" else 200,
    )


def caps_now(caps: dict[tuple[str, str | None], Cap]) -> dict[str, str]:
    """Caps kept from before, so that enabling again starts from them."""
    organization = caps.get((CapLevel.ORGANIZATION, None))
    seats = {
        tier: typed_amount(cap.later_nanos)
        for (_level, tier), cap in caps.items()
        if tier
    }
    return {
        "organization_cap": typed_amount(organization.later_nanos)
        if organization
        else "",
        **seats,
    }


def _enabled(request: HttpRequest, page: UsagePage, form: EnableForm) -> HttpResponse:
    scope = form.cleaned_data["scope"]
    enable_extra_usage(
        page.organization,
        cap_nanos=form.cleaned_data["organization_cap"],
        seat_caps=form.seat_caps,
        scope=scope,
        actor=Actor.person(request.user),  # type: ignore[arg-type]
        now=page.now,
    )
    if scope == ExtraUsageScope.SELECTED:
        messages.success(
            request, _("Extra usage is on. Now choose which members get it.")
        )
        return redirect("selected_members", slug=page.organization.slug)
    messages.success(request, _("Extra usage is on for everyone."))
    return redirect("usage_settings", slug=page.organization.slug)


@member_page(Role.OWNER)
@modal
def turn_off(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The modal behind Turn off: what it means, and the confirmation."""
    page = UsagePage(membership, timezone.now())
    error = ""
    if request.method == "POST":
        actor = Actor.person(request.user)  # type: ignore[arg-type]
        try:
            set_extra_usage(
                membership.organization, enabled=False, actor=actor, now=page.now
            )
        except BusinessError as refused:
            error = refused.message
        else:
            messages.success(request, _off_words(page))
            return redirect("usage_settings", slug=membership.organization.slug)
    return _modal(
        request, "turn_off", page, {"error": error}, status=422 if error else 200
    )


def _off_words(page: UsagePage) -> str:
    if page.is_prepaid:
        return _(
            "Extra usage is off. Balance, caps and history are kept; auto-reload stops."
        )
    return _("Extra usage is off. Caps and history are kept.")


@member_page(Role.OWNER)
@require_POST
def scope(request: HttpRequest, membership: Membership) -> HttpResponse:
    """For whom: everyone at once; selected members only after they were selected, so it
    opens the tick list.
    """
    page = UsagePage(membership, timezone.now())
    if request.POST.get("scope") == ExtraUsageScope.SELECTED:
        if not getattr(request, "htmx", False):
            return redirect("selected_members", slug=membership.organization.slug)
        context = (
            page.shared()
            | selection_context(request, membership)
            | {"reset_segments": True}
        )
        response = render(request, "billing/caps/_selection_modal.html", context)
        response["HX-Retarget"], response["HX-Reswap"] = "#modal", "innerHTML"
        return response
    try:
        set_extra_usage(
            membership.organization,
            enabled=page.standing.enabled,
            scope=ExtraUsageScope.EVERYONE,
            actor=Actor.person(request.user),  # type: ignore[arg-type]
            now=page.now,
        )
    except BusinessError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Extra usage is now for everyone."))
    return redirect("usage_settings", slug=membership.organization.slug)


def _modal(
    request: HttpRequest,
    name: str,
    page: UsagePage,
    context: dict[str, object],
    *,
    status: int = 200,
) -> HttpResponse:
    template = (
        f"billing/pages/_{name}_modal.html"
        if getattr(request, "htmx", False)
        else f"billing/pages/{name}.html"
    )
    return render(request, template, page.shared() | context, status=status)
