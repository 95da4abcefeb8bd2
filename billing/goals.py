"""Billing's pages and acts in the search (the palette), beside the places of its sidebar."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from accounts.models import Membership, Role, Settlement
from accounts.palette import Goal, register_goals, register_words


def prepays(membership: Membership) -> bool:
    """Whether there is a balance to buy for."""
    return bool(membership.organization.settlement == Settlement.PREPAID)


register_words(
    {
        "usage_settings": gettext_lazy("spend caps limits month people"),
        "own_usage": gettext_lazy("receipts spend limit"),
        "reports": gettext_lazy("export CSV models labels days"),
        "billing": gettext_lazy("invoices balance ledger card payments"),
        "notices": gettext_lazy("thresholds recipients soft limits Slack webhooks"),
        "connect": gettext_lazy("set up gateway LiteLLM Claude Code OpenTelemetry"),
    }
)
register_goals(
    Goal(
        "prices",
        gettext_lazy("Prices"),
        "tag",
        Role.MEMBER,
        hint=gettext_lazy("rates with dates, included amounts"),
        words=gettext_lazy("models tokens cost"),
    ),
    Goal("own_notices", gettext_lazy("Your notices"), "bell", Role.MEMBER),
    Goal(
        "channels",
        gettext_lazy("Channels"),
        "webhook",
        Role.OWNER,
        hint=gettext_lazy("Slack, webhooks"),
    ),
    Goal("unattributed", gettext_lazy("Unattributed usage"), "database", Role.OWNER),
    Goal(
        "organization_cap",
        gettext_lazy("Adjust limit"),
        "pencil",
        Role.OWNER,
        is_act=True,
        hint=gettext_lazy("organization spend cap"),
        words=gettext_lazy("edit set monthly cap unlimited"),
    ),
    Goal(
        "buy_extra_usage",
        gettext_lazy("Buy extra usage"),
        "wallet",
        Role.OWNER,
        is_act=True,
        hint=gettext_lazy("balance"),
        words=gettext_lazy("pay top up money"),
        shows=prepays,
    ),
    Goal(
        "auto_reload",
        gettext_lazy("Edit auto-reload"),
        "refresh",
        Role.OWNER,
        is_act=True,
        hint=gettext_lazy("balance"),
        shows=prepays,
    ),
    Goal(
        "billing_details",
        gettext_lazy("Edit billing details"),
        "receipt-2",
        Role.OWNER,
        is_act=True,
        words=gettext_lazy("address tax name invoice"),
    ),
)
