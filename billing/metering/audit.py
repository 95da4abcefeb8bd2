"""How adjustments of usage read on the Activity page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes, register_group
from config.kit.money import format_usd

register_group("usage.", gettext_lazy("Usage adjustments"), order=100)
register_changes(
    {
        "usage.adjustment": gettext_lazy("Usage adjustment"),
    }
)


@describes("usage.adjustment")
def cost_text(value: int) -> str:
    """What an event costs with all adjustments up to there, kept in nano-USD."""
    return format_usd(value)
