"""Payment gateways behind one small interface; which one is in use follows the settings."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.utils.translation import gettext as _

from billing.payments.gateways.base import Gateway
from billing.payments.gateways.sandbox import ClosedSandbox, SandboxGateway
from billing.payments.gateways.stripe import StripeGateway
from config.kit.errors import BusinessError


def current_gateway() -> Gateway:
    """The gateway new payments go to: Stripe with a key, else the built-in test gateway
    (T6). Raises BusinessError `no_payments` where there is neither.
    """
    check_payments_are_taken()
    return gateway_named(settings.PAYMENT_GATEWAY)


def check_payments_are_taken() -> None:
    """Raises BusinessError `no_payments` where nothing can be bought."""
    if sentence := why_no_payments():
        raise BusinessError(sentence, code="no_payments")


def why_no_payments() -> str:
    """Why nothing can be bought, in the active language; empty where it can.

    A site that others reach gives no balance for test cards, unless it was told to.
    """
    if settings.PAYMENT_GATEWAY != "none":
        return ""
    return _(
        "Payments are not set up here yet, so no card can be added and nothing can be "
        "bought. Ask whoever runs this installation."
    )


def gateway_named(name: str) -> Gateway:
    """The gateway that an earlier payment went to.

    Raises LookupError where Stripe is not configured any more.

    Real money may have moved there, so that payment waits; the test gateway only
    pretended, and is closed.
    """
    if name == "sandbox":
        return (
            SandboxGateway()
            if settings.PAYMENT_GATEWAY == "sandbox"
            else ClosedSandbox()
        )
    if name == "stripe" and settings.STRIPE_SECRET_KEY:
        return _stripe(
            settings.STRIPE_SECRET_KEY,
            settings.STRIPE_WEBHOOK_SECRET,
            settings.STRIPE_API_BASE,
        )
    raise LookupError(f"The payment gateway {name} is not configured.")


@lru_cache(maxsize=4)
def _stripe(secret_key: str, webhook_secret: str, api_base: str) -> StripeGateway:
    return StripeGateway(secret_key, webhook_secret=webhook_secret, api_base=api_base)
