"""Buying balance, the card it is paid with, and auto-reload.

Owners only; card numbers never come here.
"""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.access import member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from billing.models import Payment, SetupStep
from billing.payments import cards, processing
from billing.payments.actions.reload_settings import set_auto_reload
from billing.payments.actions.setup import set_setup_step
from billing.payments.forms import BuyForm, ReloadForm
from billing.payments.gateways.base import GatewayRefused, GatewayUnknown
from billing.payments.queries.cards import card_of
from billing.payments.reader import BalanceReader
from billing.payments.tasks import reload_if_due
from billing.payments.views.redirects import go_to, safe_path
from config.kit.errors import BusinessError
from config.kit.fields import typed_amount
from config.kit.htmx import saved
from config.kit.jobs import enqueue
from config.kit.links import absolute
from config.kit.money import format_usd, usd

modal = require_http_methods(["GET", "HEAD", "POST"])
FIRST_PURCHASE, FIRST_THRESHOLD, FIRST_RELOAD = usd(100), usd(25), usd(100)


@member_page(Role.OWNER)
@modal
def buy(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The modal behind Buy extra usage."""
    page = BalanceReader.of_prepaid(membership)
    form = BuyForm(
        request.POST if request.method == "POST" else None, initial=first_amount(page)
    )
    if form.is_valid():
        payment = try_to_buy(page, form)
        if payment is not None and payment.status != Payment.Status.DECLINED:
            return after_payment(request, page, payment, then=_usage_page(page))
    return money_modal(
        request, "buy", page, {"form": form}, refused=request.method == "POST"
    )


def first_amount(page: BalanceReader) -> dict[str, str]:
    """What a form to buy starts with: the amount bought last, and a key of its own."""
    bought = Payment.objects.filter(
        organization=page.organization, status=Payment.Status.SUCCEEDED
    ).first()
    return {
        "amount": typed_amount(bought.amount_nanos if bought else FIRST_PURCHASE),
        "key": uuid.uuid4().hex,
    }


def try_to_buy(page: BalanceReader, form: BuyForm) -> Payment | None:
    """Buy what was typed; a refusal or a decline becomes an error of the form, with a
    fresh key for another try.
    """
    payment = None
    try:
        payment = processing.purchase(
            page.organization,
            amount_nanos=form.cleaned_data["amount"],
            buyer=page.membership.user,
            key=form.cleaned_data["key"],
            now=page.now,
        )
    except BusinessError as error:
        form.add_error(
            error.field if error.field in form.fields else None, error.message
        )
    if payment is not None and payment.status == Payment.Status.DECLINED:
        form.add_error(None, declined_words(payment))
    if payment is None or payment.status == Payment.Status.DECLINED:
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["key"] = uuid.uuid4().hex  # type: ignore[index]
    return payment


def declined_words(payment: Payment) -> str:
    """What an owner reads after a decline: the card, what the gateway says, and that
    nothing was paid.
    """
    words = {
        "card": payment.card_label,
        "why": payment.decline_text,
        "amount": format_usd(payment.amount_nanos),
    }
    return (
        _(
            "%(card)s was declined for %(amount)s: “%(why)s” Nothing was charged. "
            "Try again or use another card."
        )
        % words
    )


def after_payment(
    request: HttpRequest, page: BalanceReader, payment: Payment, *, then: str
) -> HttpResponse:
    """Paid, on the way to the bank, or not known yet: say which, and go on."""
    if payment.status == Payment.Status.ACTION:
        return go_to(request, payment.action_url or then)
    say_outcome(request, page, payment)
    return saved(request, "balanceChanged", "capChanged", then=then)


def say_outcome(request: HttpRequest, page: BalanceReader, payment: Payment) -> None:
    """A toast with what is true now."""
    words = {"amount": format_usd(payment.amount_nanos), "card": payment.card_label}
    if payment.status == Payment.Status.SUCCEEDED:
        balance = BalanceReader(page.membership, page.now).standing.balance_nanos or 0
        text = _("%(amount)s bought. The balance is now %(balance)s.") % {
            **words,
            "balance": format_usd(balance),
        }
        messages.success(request, text)
    elif payment.status == Payment.Status.DECLINED:
        messages.error(request, declined_words(payment))
    elif payment.status == Payment.Status.CANCELED:
        messages.success(
            request,
            _("The purchase of %(amount)s was canceled; nothing was charged.") % words,
        )
    elif payment.status == Payment.Status.ACTION:
        messages.warning(
            request,
            _("The purchase of %(amount)s is still waiting for your bank.") % words,
        )
    else:
        text = _(
            "The payment of %(amount)s is being settled; the outcome will show here "
            "within minutes. You won't be charged twice."
        )
        messages.warning(request, text % words)


@member_page(Role.OWNER)
@require_safe
def payment_back(
    request: HttpRequest, membership: Membership, key: str
) -> HttpResponse:
    """Back from the bank: ask the gateway what is true, and go on where the purchase began."""
    page = BalanceReader.of_prepaid(membership)
    payment = _payment(membership, key)
    payment = processing.refresh(payment, now=page.now)
    say_outcome(request, page, payment)
    if (
        payment.status == Payment.Status.SUCCEEDED
        and page.balance.account.setup_step == SetupStep.PAY
    ):
        # the first step of the flow is done
        set_setup_step(page.organization, step=SetupStep.RELOAD)
    return redirect(next_page(page))


@member_page(Role.OWNER)
@require_POST
def payment_confirm(
    request: HttpRequest, membership: Membership, key: str
) -> HttpResponse:
    """To the bank once more, for a purchase that waits for it."""
    payment = _payment(membership, key)
    if payment.status != Payment.Status.ACTION or not payment.action_url:
        return redirect("billing", slug=membership.organization.slug)
    return go_to(request, payment.action_url)


@member_page(Role.OWNER)
@require_POST
def payment_cancel(
    request: HttpRequest, membership: Membership, key: str
) -> HttpResponse:
    """Give up a purchase that waits for the bank."""
    page = BalanceReader.of_prepaid(membership)
    payment = processing.cancel(_payment(membership, key), now=page.now)
    say_outcome(request, page, payment)
    return redirect(next_page(page))


@member_page(Role.OWNER)
@modal
def payment_card(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Add or change the card: says where it is entered; POST goes to the gateway's own form."""
    page, slug = BalanceReader.of_prepaid(membership), membership.organization.slug
    then = safe_path(
        request.POST.get("then") or request.GET.get("then"),
        default=reverse("billing", args=[slug]),
    )
    error = ""
    if request.method == "POST":
        back = (
            reverse("payment_card_back", args=[slug]) + "?" + urlencode({"then": then})
        )
        try:
            url = cards.card_form_url(
                membership.organization,
                return_url=absolute(back),
                cancel_url=absolute(then),
            )
        except (GatewayUnknown, GatewayRefused) as refused:
            error = _("The payment gateway isn't responding: %(why)s Try again.") % {
                "why": refused
            }
        else:
            return go_to(request, url)
    return money_modal(
        request, "card", page, {"error": error, "then": then}, refused=bool(error)
    )


@member_page(Role.OWNER)
@require_safe
def payment_card_back(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Back from the gateway's form with a card."""
    page, slug = BalanceReader.of_prepaid(membership), membership.organization.slug
    had_ended = page.balance.has_ended
    try:
        card = cards.keep_card(
            membership.organization,
            session_id=request.GET.get("session", ""),
            actor=Actor.person(membership.user),
            now=page.now,
        )
    except GatewayUnknown:
        messages.error(
            request,
            _(
                "The payment gateway isn't responding, so the card wasn't saved. Try again."
            ),
        )
    except GatewayRefused as refused:
        messages.error(request, _not_taken_over(refused))
    else:
        words = {"brand": card.brand, "last4": card.last4}
        messages.success(
            request,
            _("%(brand)s ending in %(last4)s will be charged from now on.") % words,
        )
        if had_ended:
            messages.warning(
                request,
                _("Auto-reload is still off. Turn it back on with Edit auto-reload."),
            )
        enqueue(reload_if_due, membership.organization_id)
    return redirect(
        safe_path(request.GET.get("then"), default=reverse("billing", args=[slug]))
    )


def _not_taken_over(refused: GatewayRefused) -> str:
    if str(refused) == "not_a_card":
        return _(
            "Extra usage can only be bought by card, and you entered something else. "
            "The card on file stays as it is."
        )
    return _("No card was entered. The card on file stays as it is.")


@member_page(Role.OWNER)
@modal
def auto_reload(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The modal behind Edit auto-reload."""
    page = BalanceReader.of_prepaid(membership)
    form = ReloadForm(
        request.POST if request.method == "POST" else None, initial=first_reload(page)
    )
    if form.is_valid() and try_to_set_reload(page, form):
        enabled = form.cleaned_data["enabled"]
        messages.success(
            request, _("Auto-reload is on.") if enabled else _("Auto-reload is off.")
        )
        return saved(request, "balanceChanged", "capChanged", then=_usage_page(page))
    return money_modal(
        request, "reload", page, {"form": form}, refused=request.method == "POST"
    )


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
    try:
        set_auto_reload(
            page.organization,
            enabled=typed["enabled"],
            threshold_nanos=typed["threshold"],
            amount_nanos=typed["amount"],
            limit_nanos=typed["limit"],
            actor=Actor.person(page.membership.user),
            now=page.now,
        )
    except BusinessError as error:
        form.add_error(
            error.field if error.field in form.fields else None, error.message
        )
        return False
    enqueue(reload_if_due, page.organization.pk)
    return True


def next_page(page: BalanceReader) -> str:
    """The flow that enables, while it is not through; else the usage page."""
    if page.balance.account.setup_step and not page.standing.is_on:
        return reverse("enable_extra_usage", args=[page.organization.slug])
    return _usage_page(page)


def _usage_page(page: BalanceReader) -> str:
    return reverse("usage_settings", args=[page.organization.slug])


def _payment(membership: Membership, key: str) -> Payment:
    payments = Payment.objects.select_related("organization")
    return get_object_or_404(payments, organization=membership.organization, key=key)


def money_modal(
    request: HttpRequest,
    name: str,
    page: BalanceReader,
    context: dict[str, object],
    *,
    refused: bool,
) -> HttpResponse:
    """A dialog for HTMX, else the same form as a page: `billing/payments/_<name>_form.html`."""
    template = (
        "billing/payments/_money_modal.html"
        if getattr(request, "htmx", False)
        else "billing/payments/money_dialog.html"
    )
    shared = page.shared() | {
        "form_template": f"billing/payments/_{name}_form.html",
        "dialog_id": f"{name}-title",
        "balance": page.balance,
        "card": card_of(page.organization.pk),
    }
    return render(request, template, shared | context, status=422 if refused else 200)
