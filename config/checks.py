"""System checks of a deployment: settings that are valid one by one but would not serve
people together.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register
from django.http.request import validate_host

# Backends that send nothing.
NO_MAIL = tuple(
    f".{name}.EmailBackend" for name in ("console", "dummy", "filebased", "locmem")
)


@register(Tags.security)
def site_url_is_served(**kwargs: Any) -> list[CheckMessage]:
    """Links in mails lead to SITE_URL, so its host must be answered."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    if settings.DEBUG or validate_host(host, settings.ALLOWED_HOSTS):
        return []
    hint = f"Add {host} to ALLOWED_HOSTS."
    return [
        Warning(
            f"SITE_URL's host {host} is not in ALLOWED_HOSTS, so every page there"
            " answers 400.",
            hint,
            id="config.W001",
        )
    ]


@register(Tags.security, deploy=True)
def mail_reaches_people(**kwargs: Any) -> list[CheckMessage]:
    """Invitations and password resets are mails."""
    if settings.LOOPBACK or not settings.EMAIL_BACKEND.endswith(NO_MAIL):
        return []
    return [
        Warning(
            "E-mails are not sent, so no one can be invited.",
            "Set EMAIL_URL to a mail server.",
            id="config.W002",
        )
    ]


@register(Tags.security, deploy=True)
def money_is_real(**kwargs: Any) -> list[CheckMessage]:
    """The test gateway gives away balances; Stripe's answers count only with its signature."""
    if settings.LOOPBACK:
        return []
    if settings.PAYMENT_GATEWAY == "none":
        message = "Nothing can be bought: no card is taken without a payment gateway."
        hint = "Set STRIPE_SECRET_KEY once an organization is to prepay."
        return [Info(message, hint, id="config.I001")]
    if settings.PAYMENT_GATEWAY == "sandbox":
        message = "Purchases go to the built-in test gateway, which takes no money."
        hint = "Set STRIPE_SECRET_KEY, and unset SANDBOX_PAYMENTS."
        return [Warning(message, hint, id="config.W004")]
    if not settings.STRIPE_WEBHOOK_SECRET:
        message = (
            "Without STRIPE_WEBHOOK_SECRET no webhook can be verified, so payments "
            "settle only by polling."
        )
        return [
            Warning(
                message,
                "Set it to the signing secret of the webhook endpoint.",
                id="config.W005",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def invoices_name_their_seller(**kwargs: Any) -> list[CheckMessage]:
    """Documents copy who sells on the day they are issued, and are never edited."""
    if settings.LOOPBACK or settings.SELLER_NAME not in ("", "Extra usage"):
        return []
    message = "SELLER_NAME is not set, so invoices would not name the seller."
    return [
        Warning(
            message,
            "Set SELLER_NAME and the other SELLER_… settings.",
            id="config.W006",
        )
    ]


@register(Tags.security, deploy=True)
def metrics_have_a_reader(**kwargs: Any) -> list[CheckMessage]:
    """Behind a proxy every caller seems to be this machine, so metrics take a token."""
    if not settings.BEHIND_PROXY or settings.METRICS_TOKEN:
        return []
    message = "Behind a proxy, /metrics answers 404 to everybody without METRICS_TOKEN."
    return [
        Warning(
            message,
            "Set METRICS_TOKEN to a random text, and send it as a bearer token.",
            id="config.W007",
        )
    ]


@register(Tags.security, deploy=True)
def processes_share_a_broker(**kwargs: Any) -> list[CheckMessage]:
    """Rate limits and jobs are shared by all machines only through Redis."""
    if settings.LOOPBACK or settings.REDIS_URL:
        return []
    message = (
        "Without Redis, limits on wrong passwords and jobs apply to one machine only."
    )
    return [Warning(message, "Set REDIS_URL.", id="config.W003")]


@register(Tags.security, deploy=True)
def hosts_are_named(**kwargs: Any) -> list[CheckMessage]:
    """Whoever chooses the host of a request must not choose what pages say of it."""
    if settings.LOOPBACK or "*" not in settings.ALLOWED_HOSTS:
        return []
    message = "ALLOWED_HOSTS is *, so pages answer under any name."
    host = urlsplit(settings.SITE_URL).hostname
    return [Warning(message, f"Set it to {host}.", id="config.W020")]


@register(Tags.security, deploy=True)
def books_are_in_a_server(**kwargs: Any) -> list[CheckMessage]:
    """A file is on one machine, and a container's is gone with it."""
    if settings.LOOPBACK or not settings.IS_SQLITE:
        return []
    message = "The books are in one SQLite file, on this machine alone."
    hint = "Set DATABASE_URL to a PostgreSQL, or back up that file and never lose it."
    return [Warning(message, hint, id="config.W021")]


@register(Tags.security, deploy=True)
def settings_are_ours(**kwargs: Any) -> list[CheckMessage]:
    """A line that nobody reads was meant for something."""
    return [
        Warning(
            f"{name} in .env is not a setting, and nothing here reads it.",
            "Remove it, or look up the right name in the README.",
            id="config.W022",
        )
        for name in settings.UNKNOWN_SETTINGS
    ]


@register(Tags.security, deploy=True)
def nobody_knows_a_password(**kwargs: Any) -> list[CheckMessage]:
    """The demo's accounts, one of them an operator, have a password that is in our README."""
    if settings.LOOPBACK or not settings.PUBLIC_DEMO:
        return []
    message = "PUBLIC_DEMO lets everybody sign in as the demo's operator."
    return [Warning(message, "Unset it where data is real.", id="config.W008")]
