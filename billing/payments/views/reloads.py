"""Auto-reload: on or off, when it buys, how much. Owners only."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from billing.payments.actions.reload_settings import set_auto_reload
from billing.payments.forms import ReloadForm
from billing.payments.reader import BalanceReader
from billing.payments.tasks import reload_if_due
from billing.payments.views.modal import money_modal, usage_page
from billing.payments.words.previews import reload_text
from config.kit.fields import refusals_on, typed_amount
from config.kit.htmx import saved
from config.kit.http import get_or_post, posted
from config.kit.jobs import enqueue
from config.kit.money import usd

FIRST_THRESHOLD, FIRST_RELOAD = usd(25), usd(100)


@member_page(Role.OWNER)
@get_or_post
def auto_reload(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The modal behind Edit auto-reload."""
    page = BalanceReader.of_prepaid(membership)
    if request.htmx and "preview" in request.GET:
        return _preview(request, page)
    form = ReloadForm(posted(request), initial=first_reload(page))
    if form.is_valid() and try_to_set_reload(page, form):
        enabled = form.cleaned_data["enabled"]
        messages.success(
            request, _("Auto-reload is on.") if enabled else _("Auto-reload is off.")
        )
        return saved(request, "balanceChanged", "capChanged", then=usage_page(page))
    subtitle = _("Buys automatically before people have to stop.")
    return money_modal(
        request,
        page,
        "reload",
        {"form": form, "subtitle": subtitle},
        title=_("Auto-reload"),
    )


def _preview(request: MemberRequest, page: BalanceReader) -> HttpResponse:
    """What the typed amounts would charge at once."""
    form, effect = ReloadForm(request.GET), ""
    typed = form.cleaned_data if form.is_valid() else {}
    if typed.get("threshold") is not None and typed.get("amount"):
        effect = reload_text(
            page.balance,
            page.standing,
            threshold_nanos=typed["threshold"],
            amount_nanos=typed["amount"],
            limit_nanos=typed["limit"],
            now=page.now,
        )
    return render(request, "billing/payments/_reload_preview.html", {"effect": effect})


def first_reload(page: BalanceReader) -> dict[str, object]:
    """What the form of auto-reload starts with: what is set, or a proposal."""
    account = page.balance.account
    was_set = account.reload_amount_nanos is not None
    return {
        "enabled": account.auto_reload_enabled or not was_set,
        "threshold": typed_amount(
            account.reload_threshold_nanos if was_set else FIRST_THRESHOLD
        ),
        "amount": typed_amount(
            account.reload_amount_nanos if was_set else FIRST_RELOAD
        ),
        "limit": typed_amount(account.reload_limit_nanos),
    }


def try_to_set_reload(page: BalanceReader, form: ReloadForm) -> bool:
    """Set what was typed; a refusal becomes an error of the form."""
    typed = form.cleaned_data
    with refusals_on(form):
        set_auto_reload(
            page.organization,
            enabled=typed["enabled"],
            threshold_nanos=typed["threshold"],
            amount_nanos=typed["amount"],
            limit_nanos=typed["limit"],
            actor=Actor.person(page.membership.user),
            now=page.now,
        )
        enqueue(reload_if_due, page.organization.pk)
        return True
    return False
