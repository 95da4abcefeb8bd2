"""How changes of the card and of auto-reload read on the Activity page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes, register_group
from billing.models import Dispute, Payment
from config.kit.money import format_usd

register_group("balance.", gettext_lazy("Balance"), order=70)
register_changes(
    {
        "balance.card": gettext_lazy("Payment card"),
        "balance.auto_reload": gettext_lazy("Auto-reload"),
        "balance.refunded_outside": gettext_lazy("Refund in Stripe"),
        "balance.dispute_state": gettext_lazy("Disputed purchase"),
        "balance.asked": gettext_lazy("Gateway asked about a payment"),
    }
)


@describes("balance.card")
def card_text(value: dict[str, str] | str) -> str:
    """`Visa 0341, expires 12/2028`; earlier versions kept the label alone."""
    if isinstance(value, str) or "expires_on" not in value:
        return value if isinstance(value, str) else value["card"]
    expires_on = dt.date.fromisoformat(value["expires_on"])
    return _("%(card)s, expires %(month)s") % {
        "card": value["card"],
        "month": f"{expires_on:%m/%Y}",
    }


@describes("balance.auto_reload")
def auto_reload_text(value: dict[str, Any]) -> str:
    """Off, or `$100.00 at $25.00, at most $500.00 a month`; kept in nano-USD."""
    if not value["auto_reload"]:
        return _("Off")
    amounts = {
        "amount": format_usd(value["reload_nanos"]),
        "threshold": format_usd(value["threshold_nanos"]),
    }
    if value["limit_nanos"] is None:
        return _("%(amount)s at %(threshold)s") % amounts
    return _("%(amount)s at %(threshold)s, at most %(limit)s a month") % {
        **amounts,
        "limit": format_usd(value["limit_nanos"]),
    }


@describes("invoice.refund")
def invoice_refund_text(value: int) -> str:
    """What is refunded, kept in nano-USD."""
    return format_usd(value)


@describes("balance.asked")
def answer_text(value: dict[str, str]) -> str:
    """What the gateway said of a payment that had no answer."""
    return str(Payment.Status(value["after"]).label)


def balance_kept(value: int | dict[str, Any]) -> int | None:
    """The balance that is kept with a change; earlier versions kept none."""
    return None if isinstance(value, int) else value.get("balance_nanos")


@describes("balance.refunded_outside", amount=balance_kept)
def refund_text(value: int | dict[str, Any]) -> str:
    """`Balance: $100.00`, `$20.00 refunded. Balance: $80.00`; kept in nano-USD. Earlier
    versions kept what was refunded alone.
    """
    if isinstance(value, int):
        return format_usd(value)
    facts = {"balance": format_usd(value["balance_nanos"])}
    if "amount_nanos" not in value:
        return _("Balance: %(balance)s") % facts
    facts["amount"] = format_usd(value["amount_nanos"])
    if value["has_failed"]:
        return _("%(amount)s came back. Balance: %(balance)s") % facts
    return _("%(amount)s refunded. Balance: %(balance)s") % facts


@describes("balance.dispute_state", "invoice.dispute", amount=balance_kept)
def dispute_text(value: dict[str, Any]) -> str:
    """`Open: $100.00 disputed, $100.00 taken back. Balance: $0.00`; kept in nano-USD. The
    balance only of purchases, and alone before a dispute was known.
    """
    balance_nanos = value.get("balance_nanos")
    if balance_nanos is None:
        return _state_text(value)
    balance = _("Balance: %(balance)s") % {"balance": format_usd(balance_nanos)}
    return f"{_state_text(value)}. {balance}" if "status" in value else balance


def _state_text(value: dict[str, Any]) -> str:
    facts = {
        "status": Dispute.Status(value["status"]).label,
        "amount": format_usd(value["amount_nanos"]),
        "taken": format_usd(value["taken_nanos"]),
    }
    return _("%(status)s: %(amount)s disputed, %(taken)s taken back") % facts
