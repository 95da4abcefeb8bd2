"""Money and metering: prices of the unknown, the seller, payments."""

from __future__ import annotations

from config.environment import stop
from config.settings.start import LOOPBACK, env

# Rates of a model nobody has a price for (M4), in USD per million tokens; without both,
# the dearest among the provider's models. Writing to the cache costs up to twice the
# input, and no rate may be over $10,000.
FALLBACK_INPUT_USD_PER_MTOK = env.optional_usd(
    "FALLBACK_INPUT_USD_PER_MTOK", most=5_000
)
FALLBACK_OUTPUT_USD_PER_MTOK = env.optional_usd(
    "FALLBACK_OUTPUT_USD_PER_MTOK", most=10_000
)
if bool(FALLBACK_INPUT_USD_PER_MTOK) != bool(FALLBACK_OUTPUT_USD_PER_MTOK):
    stop(
        "FALLBACK_INPUT_USD_PER_MTOK and FALLBACK_OUTPUT_USD_PER_MTOK work only together."
        " Set both, or neither."
    )
AUTHORIZATION_HOURS = env.count("AUTHORIZATION_HOURS", default=24, least=1, most=720)
# What a lease gives ends at the latest after these seconds, whatever was changed (X5).
LEASE_SECONDS = env.count("LEASE_SECONDS", default=30, least=1, most=30)
# A month closes before the next one ends, be it February.
CLOSE_GRACE_HOURS = env.count("CLOSE_GRACE_HOURS", default=6, most=672)
# Who sells, as invoices and statements print it; lines of the address are separated by "|".
SELLER_NAME = env.text("SELLER_NAME", default="Extra usage")
SELLER_ADDRESS = env.lines("SELLER_ADDRESS")
SELLER_TAX_ID = env.text("SELLER_TAX_ID")
SELLER_EMAIL = env.sender("SELLER_EMAIL", default="")
INVOICE_NOTE = env.text("INVOICE_NOTE")
REQUEST_PAUSE_HOURS = env.count("REQUEST_PAUSE_HOURS", default=24, most=8_760)

# With a Stripe key payments go to Stripe, else to the built-in test gateway, which
# pretends (T6). Where others than this machine reach us it would give balance away to
# whoever knows a test card, so there it has to be asked for by name.
STRIPE_SECRET_KEY = env.token(
    "STRIPE_SECRET_KEY",
    pattern=r"(sk|rk)_(org_)?(live|test)_[A-Za-z0-9_]+",
    hint="Set it to a secret or restricted key of Stripe: sk_live_…, rk_live_…,"
    " sk_test_… or rk_test_…; a publishable key (pk_…) can't charge.",
)
STRIPE_WEBHOOK_SECRET = env.token(
    "STRIPE_WEBHOOK_SECRET",
    pattern=r"whsec_[A-Za-z0-9+/=_-]+",
    hint="Set it to the signing secret of the webhook endpoint: whsec_….",
)
STRIPE_API_BASE = env.service_url("STRIPE_API_BASE", example="https://api.stripe.com")
SANDBOX_PAYMENTS = env.flag("SANDBOX_PAYMENTS", default=LOOPBACK)
PAYMENT_GATEWAY = (
    "stripe" if STRIPE_SECRET_KEY else "sandbox" if SANDBOX_PAYMENTS else "none"
)
# Owners are told of a low balance at this amount where no reload threshold was ever set (N1).
LOW_BALANCE_USD = env.usd("LOW_BALANCE_USD", default="10")
