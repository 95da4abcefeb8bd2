"""Turning extra usage on (with its first caps) and off, and choosing for whom.

Owners only; confirmed before it is on.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from billing.caps.actions.confirmation import require_confirmation
from billing.caps.actions.first_caps import FirstCaps
from billing.caps.actions.switch import enable_extra_usage, set_extra_usage
from billing.caps.views.selection import selection_modal
from billing.funding.rules.standing import Cap
from billing.models import CapLevel, ExtraUsageScope
from billing.pages.first_effect import effect_lines
from billing.pages.first_members import FirstMembers, kept
from billing.pages.forms import AskFirstForm, EnableForm
from billing.pages.usage_parts import UsagePage
from config.kit.errors import BusinessError
from config.kit.fields import refusals_on, typed_amount
from config.kit.htmx import render_modal
from config.kit.http import get_or_post, posted

PARTS = {
    "add": "_first_members",
    "drop": "_first_members",
    "search": "_first_found",
    "effect": "_first_effect",
}


@member_page(Role.OWNER)
@get_or_post
def enable(request: MemberRequest, membership: Membership) -> HttpResponse:
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
    members = FirstMembers(page, request.POST)
    if part := first_part(request, page, members):
        return part
    form = EnableForm(
        None if members.action else posted(request),
        plan=membership.organization.plan,
        initial=first_values(request, page),
    )
    if form.is_bound and form.is_valid() & members.is_valid():
        with refusals_on(form):
            return _enabled(request, page, form, members)
    subtitle = _(
        "When included usage runs out, people can continue at API rates, billed after "
        "the month ends."
    )
    response = render_modal(
        request,
        "billing/pages/enable.html",
        page.shared()
        | first_context(request, members)
        | {"form": form, "subtitle": subtitle},
        title=_("Enable extra usage"),
        name="enable",
    )
    response.status_code = 422 if form.is_bound else 200
    return response


def first_part(
    request: MemberRequest, page: UsagePage, members: FirstMembers
) -> HttpResponse | None:
    """The part of the form that HTMX asks for: the members, whom a search found, or the
    effect; None where the whole form is meant.
    """
    part = members.action.partition("-")[0]
    if not request.htmx or part not in PARTS or request.htmx.target == "modal":
        return None
    # What is not asked for but follows from it, the effect, is swapped beside it.
    context = (
        page.shared() | first_context(request, members) | {"is_part": part != "effect"}
    )
    return render(request, f"billing/pages/{PARTS[part]}.html", context)


def first_context(request: MemberRequest, members: FirstMembers) -> dict[str, Any]:
    """What the parts of the first caps show."""
    typed = first_values(request, members.page)
    return {"members": members, "effect_lines": effect_lines(members, typed)}


def first_values(request: MemberRequest, page: UsagePage) -> dict[str, Any]:
    """What the form starts from: what was typed, else the caps kept from before."""
    if request.method == "POST":
        return kept(EnableForm.base_fields, request.POST)
    return caps_now(page.caps)


def caps_now(caps: dict[tuple[str, str | None], Cap]) -> dict[str, Any]:
    """Caps kept from before, so that enabling again starts from them."""
    organization = caps.get((CapLevel.ORGANIZATION, None))
    seats = {
        tier: typed_amount(cap.later_nanos)
        for (_level, tier), cap in caps.items()
        if tier
    }
    unlimited = {
        f"{tier}_unlimited": cap.later_nanos is None
        for (_level, tier), cap in caps.items()
        if tier
    }
    return {
        "organization_cap": typed_amount(organization.later_nanos)
        if organization
        else "",
        **seats,
        **unlimited,
    }


def _enabled(
    request: MemberRequest, page: UsagePage, form: EnableForm, members: FirstMembers
) -> HttpResponse:
    scope = form.cleaned_data["scope"]
    enable_extra_usage(
        page.organization,
        caps=FirstCaps(
            form.cleaned_data["organization_cap"], form.seat_caps, members.caps
        ),
        scope=scope,
        actor=Actor.person(request.user),
        now=page.now,
    )
    return say_enabled(request, page, scope=scope)


def say_enabled(request: MemberRequest, page: UsagePage, *, scope: str) -> HttpResponse:
    """It is on: go on to the page, or to choosing for whom."""
    if scope == ExtraUsageScope.SELECTED:
        messages.success(
            request, _("Extra usage is on. Now choose which members get it.")
        )
        return redirect("selected_members", slug=page.organization.slug)
    messages.success(request, _("Extra usage is on for everyone."))
    return redirect("usage_settings", slug=page.organization.slug)


@member_page(Role.OWNER)
@get_or_post
def turn_off(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The modal behind Turn off: what it means, and the confirmation."""
    page = UsagePage(membership, timezone.now())
    form = forms.Form(posted(request))
    if form.is_valid():
        with refusals_on(form):
            set_extra_usage(
                membership.organization,
                enabled=False,
                actor=Actor.person(request.user),
                now=page.now,
            )
            messages.success(request, _off_sentence(page))
            return redirect("usage_settings", slug=membership.organization.slug)
    return render_modal(
        request,
        "billing/pages/turn_off.html",
        page.shared() | {"form": form},
        title=_("Turn off extra usage"),
        name="turn-off",
    )


def _off_sentence(page: UsagePage) -> str:
    if page.is_prepaid:
        return _(
            "Extra usage is off. Balance, caps and history are kept; auto-reload stops."
        )
    return _("Extra usage is off. Caps and history are kept.")


@member_page(Role.OWNER)
@get_or_post
def ask_first(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The modal of whether members are asked before extra usage begins: what it means,
    and the confirmation.
    """
    page = UsagePage(membership, timezone.now())
    asks = page.standing.confirmation_required
    form = AskFirstForm(posted(request), initial={"required": not asks})
    if form.is_valid():
        required = form.cleaned_data["required"]
        with refusals_on(form):
            require_confirmation(
                membership.organization,
                required=required,
                actor=Actor.person(request.user),
                now=page.now,
            )
            messages.success(request, _ask_first_sentence(required=required))
            return redirect("usage_settings", slug=membership.organization.slug)
    title = (
        _("Stop asking before extra usage begins")
        if asks
        else _("Ask before extra usage begins")
    )
    context = page.shared() | {"form": form, "asks": asks}
    return render_modal(
        request, "billing/pages/ask_first.html", context, title=title, name="ask-first"
    )


def _ask_first_sentence(*, required: bool) -> str:
    if required:
        return _("Members are now asked before extra usage begins.")
    return _("Extra usage now begins without asking.")


@member_page(Role.OWNER)
@require_POST
def scope(request: MemberRequest, membership: Membership) -> HttpResponse:
    """For whom: everyone at once; selected members only after they were selected, so it
    opens the tick list.
    """
    page = UsagePage(membership, timezone.now())
    if request.POST.get("scope") == ExtraUsageScope.SELECTED:
        if not request.htmx:
            return redirect("selected_members", slug=membership.organization.slug)
        response = selection_modal(request, membership)
        response["HX-Retarget"], response["HX-Reswap"] = "#modal", "innerHTML"
        return response
    try:
        set_extra_usage(
            membership.organization,
            enabled=page.standing.enabled,
            scope=ExtraUsageScope.EVERYONE,
            actor=Actor.person(request.user),
            now=page.now,
        )
    except BusinessError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Extra usage is now for everyone."))
    return redirect("usage_settings", slug=membership.organization.slug)
