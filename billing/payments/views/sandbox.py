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
from django.views.decorators.http import require_http_methods

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.models import SandboxPayment
from billing.payments.gateways.base import GatewayRefused
from billing.payments.gateways.sandbox import NUMBERS, SandboxGateway, read_number
from billing.payments.views.redirects import safe_path
from config.kit.money import NANOS_PER_CENT

MEANINGS = {
    "succeeds": gettext_lazy("succeeds"),
    "declines": gettext_lazy("can be saved; every payment is declined"),
    "no_funds": gettext_lazy("can be saved; declined for insufficient funds"),
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
@require_http_methods(["GET", "HEAD", "POST"])
def sandbox_card(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Where a test card is entered; leads back with what a real gateway would hand over."""
    _only_in_the_sandbox()
    back, cancel = (
        safe_path(request.GET.get("back"), default="/"),
        safe_path(request.GET.get("cancel"), default="/"),
    )
    error, typed = "", request.POST.get("number", "")[:60]
    if request.method == "POST":
        try:
            number = read_number(typed)
        except GatewayRefused as refused:
            error = _("The test gateway declines this card.")
            if str(refused) == "unknown_number":
                error = _(
                    "“%(typed)s” is not a test card. Use one of the numbers below,"
                    " never a real card."
                )
                error %= {"typed": typed}
        else:
            return redirect(
                f"{back}{'&' if '?' in back else '?'}{urlencode({'session': number.card_id})}"
            )
    cards = [
        (f"{one[:4]} {one[4:8]} {one[8:12]} {one[12:]}", MEANINGS[what])
        for one, what in NUMBERS.items()
    ]
    context = {
        "error": error,
        "typed": typed,
        "cards": cards,
        "cancel": cancel,
        "organization": membership.organization,
    }
    return render(
        request,
        "billing/payments/sandbox_card.html",
        context,
        status=422 if error else 200,
    )


@member_page(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
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
