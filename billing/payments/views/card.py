"""The card that balance is paid with: to the gateway's own form and back.

Owners only; card numbers never come here.
"""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from billing.models import PaymentCard
from billing.payments import cards
from billing.payments.gateways.base import GatewayRefused, GatewayUnknown
from billing.payments.queries.cards import card_of
from billing.payments.reader import BalanceReader
from billing.payments.tasks import reload_if_due
from billing.payments.views.leaving import come_back, is_away, leave
from billing.payments.views.modal import money_modal
from billing.payments.views.redirects import go_to, safe_path
from config.kit.errors import BusinessError
from config.kit.fields import refusals_on
from config.kit.http import get_or_post, posted
from config.kit.jobs import enqueue
from config.kit.links import absolute


@member_page(Role.OWNER)
@get_or_post
def payment_card(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Add or change the card: says where it is entered; POST goes to the gateway's own form."""
    page = BalanceReader.of_prepaid(membership)
    then = _then(request, membership)
    form = forms.Form(posted(request))
    if form.is_valid():
        try:
            with refusals_on(form):
                return go_to(request, _card_form_url(request, membership, then=then))
        except (GatewayUnknown, GatewayRefused) as refused:
            sentence = _("The payment gateway isn't responding: %(why)s Try again.")
            form.add_error(None, sentence % {"why": refused})
    return money_modal(
        request,
        page,
        "card",
        {"form": form, "then": then},
        title=_("Change card") if card_of(page.organization.pk) else _("Add card"),
    )


def _then(request: MemberRequest, membership: Membership) -> str:
    """Where to go on afterwards; the billing page unless another of ours was named."""
    return safe_path(
        request.POST.get("then") or request.GET.get("then"),
        default=reverse("billing", args=[membership.organization.slug]),
    )


def _card_form_url(request: MemberRequest, membership: Membership, *, then: str) -> str:
    back = reverse("payment_card_back", args=[membership.organization.slug])
    state = leave(request, purpose=_purpose(membership))
    return cards.card_form_url(
        membership.organization,
        return_url=absolute(f"{back}?{urlencode({'then': then, 'state': state})}"),
        cancel_url=absolute(then),
    )


def _purpose(membership: Membership) -> str:
    return f"card:{membership.organization_id}"


@member_page(Role.OWNER)
@require_safe
def payment_card_back(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Back from the gateway's form with a card, in the session that left for it."""
    purpose, state = _purpose(membership), request.GET.get("state", "")
    if not is_away(request, purpose=purpose, state=state):
        messages.error(request, _("This link has been used or isn't yours. Try again."))
    elif _keep_card(request, membership):
        come_back(request, purpose=purpose, state=state)
    return redirect(_then(request, membership))


def _keep_card(request: MemberRequest, membership: Membership) -> bool:
    """Keep it and say so; whether the gateway answered."""
    page = BalanceReader.of_prepaid(membership)
    had_ended = page.balance.has_ended
    try:
        card = cards.keep_card(
            membership.organization,
            session_id=request.GET.get("session", ""),
            actor=Actor.person(membership.user),
            now=page.now,
        )
    except GatewayUnknown:
        sentence = _(
            "The payment gateway isn't responding, so the card wasn't saved. Try again."
        )
        messages.error(request, sentence)
        return False
    except GatewayRefused as refused:
        messages.error(request, _refused_sentence(refused))
    except BusinessError as refused:
        messages.error(request, str(refused))
    else:
        _say_kept(request, card, had_ended=had_ended)
        enqueue(reload_if_due, membership.organization_id)
    return True


def _say_kept(request: MemberRequest, card: PaymentCard, *, had_ended: bool) -> None:
    sentence = _("%(brand)s ending in %(last4)s will be charged from now on.")
    messages.success(request, sentence % {"brand": card.brand, "last4": card.last4})
    if had_ended:
        messages.warning(
            request,
            _("Auto-reload is still off. Turn it back on with Edit auto-reload."),
        )


def _refused_sentence(refused: GatewayRefused) -> str:
    if str(refused) == "not_a_card":
        return _(
            "Extra usage can only be bought by card, and you entered something else. "
            "The card on file stays as it is."
        )
    return _("No card was entered. The card on file stays as it is.")
