"""Buying balance: the modal, the way to the bank and back.

Owners only; card numbers never come here.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Role
from billing.funding.words.buying import still_stops
from billing.models import Payment, SetupStep
from billing.payments import processing
from billing.payments.actions.purchases import check_purchase_amount
from billing.payments.actions.setup import set_setup_step
from billing.payments.forms import BuyForm
from billing.payments.reader import BalanceReader
from billing.payments.views.modal import money_modal, usage_page
from billing.payments.views.redirects import go_to
from billing.payments.words.previews import bought_text
from config.kit.errors import BusinessError
from config.kit.fields import refusals_on, renew_key, typed_amount
from config.kit.htmx import saved
from config.kit.http import get_or_post, posted
from config.kit.money import AmountError, format_usd, parse_amount, usd

FIRST_PURCHASE = usd(100)


@member_page(Role.OWNER)
@get_or_post
def buy(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The modal behind Buy extra usage."""
    page = BalanceReader.of_prepaid(membership)
    if request.htmx and "preview" in request.GET:
        return _bought(request, page)
    form = BuyForm(posted(request), initial=first_purchase(page))
    if form.is_valid():
        payment = try_to_buy(page, form)
        if payment is not None and payment.status != Payment.Status.DECLINED:
            return after_payment(request, page, payment, then=usage_page(page))
    balance = format_usd(page.balance.balance_nanos)
    subtitle = _("Current balance: %(balance)s") % {"balance": balance}
    return money_modal(
        request,
        page,
        "buy",
        {
            "form": form,
            "subtitle": subtitle,
            "is_pressed_once": True,
            "still_stops": still_stops(
                page.standing,
                balance_nanos=page.balance.balance_nanos,
                enabled=page.counts.enabled,
            ),
        },
        title=_("Buy extra usage"),
    )


def _bought(request: MemberRequest, page: BalanceReader) -> HttpResponse:
    """What the typed amount would do, and the button that says so."""
    label, typed = _("Buy extra usage"), request.GET.get("amount", "")
    try:
        amount_nanos = parse_amount(typed.replace("\0", ""))
        check_purchase_amount(amount_nanos)
    except AmountError as error:
        effect = str(error) if typed.strip() else ""
    except BusinessError as error:
        effect = error.message
    else:
        effect = bought_text(page.balance, amount_nanos=amount_nanos)
        label = _("Buy extra usage for %(amount)s") % {
            "amount": format_usd(amount_nanos)
        }
    context = {"effect": effect, "label": label}
    return render(request, "billing/payments/_buy_preview.html", context)


def first_purchase(page: BalanceReader) -> dict[str, str]:
    """What a form to buy starts with: the amount bought last."""
    bought = Payment.objects.filter(
        organization=page.organization, status=Payment.Status.SUCCEEDED
    ).first()
    return {"amount": typed_amount(bought.amount_nanos if bought else FIRST_PURCHASE)}


def try_to_buy(page: BalanceReader, form: BuyForm) -> Payment | None:
    """Buy what was typed; a refusal or a decline becomes an error of the form, with a
    fresh key for another try.
    """
    payment = None
    with refusals_on(form):
        payment = processing.purchase(
            page.organization,
            amount_nanos=form.cleaned_data["amount"],
            buyer=page.membership.user,
            key=form.cleaned_data["key"],
            now=page.now,
        )
    if payment is not None and payment.status == Payment.Status.DECLINED:
        form.add_error(None, declined_sentence(payment))
    if form.errors:
        renew_key(form)
    return payment


def declined_sentence(payment: Payment) -> str:
    """What an owner reads after a decline: the card, what the gateway says, and that
    nothing was paid.
    """
    facts = {
        "card": payment.card_label,
        "why": payment.decline_text,
        "amount": format_usd(payment.amount_nanos),
    }
    return (
        _(
            "%(card)s was declined for %(amount)s: “%(why)s” Nothing was charged. "
            "Try again or use another card."
        )
        % facts
    )


def after_payment(
    request: MemberRequest, page: BalanceReader, payment: Payment, *, then: str
) -> HttpResponse:
    """Paid, on the way to the bank, or not known yet: say which, and go on."""
    if payment.status == Payment.Status.ACTION:
        return go_to(request, payment.action_url or then)
    say_outcome(request, page, payment)
    return saved(request, "balanceChanged", "capChanged", then=then)


def say_outcome(request: MemberRequest, page: BalanceReader, payment: Payment) -> None:
    """A toast with what is true now."""
    facts = {"amount": format_usd(payment.amount_nanos), "card": payment.card_label}
    if payment.status == Payment.Status.SUCCEEDED:
        say_bought(request, page, facts)
    elif payment.status == Payment.Status.DECLINED:
        messages.error(request, declined_sentence(payment))
    elif payment.status == Payment.Status.CANCELED:
        messages.success(
            request,
            _("The purchase of %(amount)s was canceled; nothing was charged.") % facts,
        )
    elif payment.status == Payment.Status.ACTION:
        messages.warning(
            request,
            _("The purchase of %(amount)s is still waiting for your bank.") % facts,
        )
    else:
        text = _(
            "The payment of %(amount)s is being settled; the outcome will show here "
            "within minutes. You won't be charged twice."
        )
        messages.warning(request, text % facts)


def say_bought(
    request: MemberRequest, page: BalanceReader, facts: dict[str, str]
) -> None:
    """The new balance, and what stops people all the same."""
    standing = BalanceReader(page.membership, page.now).standing
    balance_nanos = standing.balance_nanos or 0
    text = _("%(amount)s bought. The balance is now %(balance)s.") % {
        **facts,
        "balance": format_usd(balance_nanos),
    }
    others = still_stops(
        standing, balance_nanos=balance_nanos, enabled=page.counts.enabled
    )
    if others and not page.balance.account.setup_step:
        messages.warning(request, " ".join([text, *others]))
    else:
        messages.success(request, text)


@member_page(Role.OWNER)
@require_safe
def payment_back(
    request: MemberRequest, membership: Membership, key: str
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
    request: MemberRequest, membership: Membership, key: str
) -> HttpResponse:
    """To the bank once more, for a purchase that waits for it."""
    payment = _payment(membership, key)
    if payment.status != Payment.Status.ACTION or not payment.action_url:
        return redirect("billing", slug=membership.organization.slug)
    return go_to(request, payment.action_url)


@member_page(Role.OWNER)
@require_POST
def payment_cancel(
    request: MemberRequest, membership: Membership, key: str
) -> HttpResponse:
    """Give up a purchase that waits for the bank."""
    page = BalanceReader.of_prepaid(membership)
    payment = processing.cancel(_payment(membership, key), now=page.now)
    say_outcome(request, page, payment)
    return redirect(next_page(page))


def next_page(page: BalanceReader) -> str:
    """The flow that enables, while it is not through; else the usage page."""
    if page.balance.account.setup_step and not page.standing.is_on:
        return reverse("enable_extra_usage", args=[page.organization.slug])
    return usage_page(page)


def _payment(membership: Membership, key: str) -> Payment:
    payments = Payment.objects.select_related("organization")
    return get_object_or_404(payments, organization=membership.organization, key=key)
