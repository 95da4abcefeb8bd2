"""How adjustments and repricing of usage read on the Activity page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes, register_group
from config.kit.money import format_usd

register_group("usage.", gettext_lazy("Usage adjustments"), order=100)
register_changes(
    {
        "usage.adjustment": gettext_lazy("Usage adjustment"),
        "usage.repricing": gettext_lazy("Usage repriced"),
    }
)


@describes("usage.adjustment", "usage.repricing", amount=int)
def cost_text(value: int) -> str:
    """What an event costs with all adjustments up to there, or what a new price made
    an organization's usage cost more or (below zero) less; kept in nano-USD.
    """
    return format_usd(value)
