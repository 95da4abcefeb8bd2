"""The test gateway's own pages: its card form and a pretended bank.

There are none once Stripe is configured.
"""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.models import SandboxPayment
from billing.payments.forms import SandboxCardForm
from billing.payments.gateways.base import GatewayRefused
from billing.payments.gateways.sandbox import NUMBERS, SandboxGateway, read_number
from billing.payments.views.redirects import safe_path
from config.kit.http import get_or_post, posted
from config.kit.money import NANOS_PER_CENT

MEANINGS = {
    "succeeds": gettext_lazy("succeeds"),
    "declines": gettext_lazy("can be saved; every payment is declined"),
    "no_funds": gettext_lazy("can be saved; declined for insufficient funds"),
    "lost_card": gettext_lazy(
        "can be saved; declined for good, so it isn't tried again"
    ),
    "action": gettext_lazy("the bank asks for confirmation; auto-reload is declined"),
    "refused": gettext_lazy("can't be saved"),
    "timeout_paid": gettext_lazy(
        "the gateway doesn't answer, but the payment goes through"
    ),
    "timeout_lost": gettext_lazy(
        "the gateway doesn't answer, and the payment doesn't go through"
    ),
}


@member_page(Role.OWNER)
@get_or_post
def sandbox_card(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Where a test card is entered; leads back with what a real gateway would hand over."""
    _only_in_the_sandbox()
    back = safe_path(request.GET.get("back"), default="/")
    form = SandboxCardForm(posted(request))
    if form.is_valid():
        try:
            test_card = read_number(form.cleaned_data["number"])
        except GatewayRefused as refused:
            form.add_error("number", _refused_sentence(refused, form))
        else:
            separator = "&" if "?" in back else "?"
            return redirect(
                f"{back}{separator}{urlencode({'session': test_card.card_id})}"
            )
    cards = [
        (f"{number[:4]} {number[4:8]} {number[8:12]} {number[12:]}", MEANINGS[what])
        for number, what in NUMBERS.items()
    ]
    context = {
        "form": form,
        "cards": cards,
        "cancel": safe_path(request.GET.get("cancel"), default="/"),
        "organization": membership.organization,
    }
    return render(
        request,
        "billing/payments/sandbox_card.html",
        context,
        status=422 if form.errors else 200,
    )


def _refused_sentence(refused: GatewayRefused, form: SandboxCardForm) -> str:
    if str(refused) != "unknown_number":
        return _("The test gateway declines this card.")
    sentence = _(
        "“%(typed)s” is not a test card. Use one of the numbers below,"
        " never a real card."
    )
    return sentence % {"typed": form.cleaned_data["number"]}


@member_page(Role.OWNER)
@get_or_post
def sandbox_bank(
    request: HttpRequest, membership: Membership, key: str
) -> HttpResponse:
    """A pretended bank that asks the owner to confirm one payment."""
    _only_in_the_sandbox()
    payment = get_object_or_404(
        SandboxPayment, key=key, customer_id=f"customer-{membership.organization.slug}"
    )
    if request.method == "POST":
        SandboxGateway().confirm(key, agree=request.POST.get("answer") == "confirm")
        return redirect(safe_path(request.GET.get("back"), default="/"))
    context = {
        "amount_nanos": payment.amount_cents * NANOS_PER_CENT,
        "organization": membership.organization,
    }
    return render(request, "billing/payments/sandbox_bank.html", context)


def _only_in_the_sandbox() -> None:
    if settings.PAYMENT_GATEWAY != "sandbox":
        raise Http404
