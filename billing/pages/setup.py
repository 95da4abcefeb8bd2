"""The flow that enables extra usage where it is prepaid (T1): pay, auto-reload, cap,
for whom. Can be left and resumed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from billing.caps.actions.first_caps import FirstCaps, set_first_caps
from billing.caps.actions.switch import set_extra_usage
from billing.models import Payment, SetupStep
from billing.pages.first_members import FirstMembers
from billing.pages.forms import FirstCapsForm, ScopeForm
from billing.pages.switch import (
    first_context,
    first_part,
    first_values,
    say_enabled,
)
from billing.pages.usage_parts import UsagePage
from billing.payments.actions.reload_settings import check_cap_allows_reload
from billing.payments.actions.setup import set_setup_step
from billing.payments.forms import BuyForm, ReloadForm
from billing.payments.queries.cards import card_of
from billing.payments.views.purchases import (
    after_payment,
    first_purchase,
    say_outcome,
    try_to_buy,
)
from billing.payments.views.reloads import first_reload, try_to_set_reload
from config.kit.fields import refusals_on
from config.kit.http import get_or_post, posted

STEPS = list(SetupStep)
Answer = HttpResponse | dict[str, Any]


@member_page(Role.OWNER)
@get_or_post
def enable_step(
    request: MemberRequest, membership: Membership, step: str
) -> HttpResponse:
    """One step as a page; a step that is not reached yet leads to the current one."""
    page = UsagePage.of_prepaid(membership)
    slug = membership.organization.slug
    if page.standing.is_on:
        return redirect("usage_settings", slug=slug)
    reached = page.balance.setup_step
    if step not in STEPS or STEPS.index(SetupStep(step)) > STEPS.index(reached):
        return redirect("enable_step", slug=slug, step=reached)
    answer = HANDLERS[SetupStep(step)](request, page)
    if isinstance(answer, HttpResponse):
        return answer
    context = page.shared() | {
        "step": SetupStep(step),
        "steps": [
            (choice, STEPS.index(choice) <= STEPS.index(reached)) for choice in STEPS
        ],
        "step_template": f"billing/pages/_enable_{step}.html",
        "balance": page.balance,
        "card": card_of(page.organization.pk),
        **answer,
    }
    return render(
        request,
        "billing/pages/enable_flow.html",
        context,
        status=422 if request.method == "POST" and answer["form"].is_bound else 200,
    )


def _go_on(page: UsagePage, step: SetupStep) -> HttpResponse:
    """Keep that `step` is next, unless the owner was further already, and show it."""
    if STEPS.index(step) > STEPS.index(page.balance.setup_step):
        set_setup_step(page.organization, step=step)
    return redirect("enable_step", slug=page.organization.slug, step=step)


def _pay(request: MemberRequest, page: UsagePage) -> Answer:
    if page.balance.account.setup_step == "":
        set_setup_step(page.organization, step=SetupStep.PAY)
    if (
        request.method == "POST"
        and "go_on" in request.POST
        and page.balance.balance_nanos > 0
    ):
        return _go_on(page, SetupStep.RELOAD)
    form = BuyForm(posted(request), initial=first_purchase(page))
    if form.is_valid():
        payment = try_to_buy(page, form)
        if payment is not None and payment.status == Payment.Status.SUCCEEDED:
            fresh = UsagePage(page.membership, page.now)
            say_outcome(request, fresh, payment)
            return _go_on(fresh, SetupStep.RELOAD)
        if payment is not None and payment.status != Payment.Status.DECLINED:
            return after_payment(request, page, payment, then=request.path)
    return {"form": form}


def _reload(request: MemberRequest, page: UsagePage) -> Answer:
    if request.method == "POST" and "skip" in request.POST:
        return _go_on(page, SetupStep.CAP)
    form = ReloadForm(posted(request), initial=first_reload(page))
    if form.is_valid():
        form.cleaned_data["enabled"] = True
        if try_to_set_reload(page, form):
            return _go_on(page, SetupStep.CAP)
    return {"form": form}


def _cap(request: MemberRequest, page: UsagePage) -> Answer:
    members = FirstMembers(page, request.POST)
    if part := first_part(request, page, members):
        return part
    form = FirstCapsForm(
        None if members.action else posted(request),
        plan=page.organization.plan,
        initial=first_values(request, page),
    )
    if form.is_bound and form.is_valid() & members.is_valid():
        with refusals_on(form):
            check_cap_allows_reload(
                page.balance.account, cap_nanos=form.cleaned_data["organization_cap"]
            )
            set_first_caps(
                page.organization,
                FirstCaps(
                    form.cleaned_data["organization_cap"], form.seat_caps, members.caps
                ),
                actor=Actor.person(page.membership.user),
                now=page.now,
            )
            return _go_on(page, SetupStep.WHOM)
    return {"form": form, **first_context(request, members)}


def _whom(request: MemberRequest, page: UsagePage) -> Answer:
    form = ScopeForm(posted(request), initial={"scope": page.standing.scope})
    if form.is_valid():
        scope = form.cleaned_data["scope"]
        with refusals_on(form):
            set_extra_usage(
                page.organization,
                enabled=True,
                scope=scope,
                actor=Actor.person(page.membership.user),
                now=page.now,
            )
            return say_enabled(request, page, scope=scope)
    return {"form": form, "organization_cap": page.caps_part()["organization_cap"]}


HANDLERS: dict[SetupStep, Callable[[MemberRequest, UsagePage], Answer]] = {
    SetupStep.PAY: _pay,
    SetupStep.RELOAD: _reload,
    SetupStep.CAP: _cap,
    SetupStep.WHOM: _whom,
}
