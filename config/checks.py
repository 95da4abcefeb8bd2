"""System checks of a deployment: settings that are valid one by one but would not serve
people together.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.http.request import validate_host


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
    if settings.LOOPBACK or not settings.EMAIL_BACKEND.endswith(
        ("console.EmailBackend", "dummy.EmailBackend")
    ):
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
    if not settings.STRIPE_SECRET_KEY:
        message = "Purchases go to the built-in test gateway, which takes no money."
        return [
            Warning(
                message,
                "Set STRIPE_SECRET_KEY, or make sure that no organization prepays.",
                id="config.W004",
            )
        ]
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
def processes_share_a_broker(**kwargs: Any) -> list[CheckMessage]:
    """Rate limits and jobs are shared by all machines only through Redis."""
    if settings.LOOPBACK or settings.REDIS_URL:
        return []
    message = (
        "Without Redis, limits on wrong passwords and jobs apply to one machine only."
    )
    return [Warning(message, "Set REDIS_URL.", id="config.W003")]
