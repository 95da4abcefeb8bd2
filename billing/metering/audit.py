"""How adjustments and repricing of usage read on the Activity page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audit import describes, register_changes, register_group
from billing.prices.words import correction_reason_text
from config.kit.money import format_usd

# Nano-USD, or `{"nanos": …, "by_reason": {…}, "through": …}`.
Repricing = int | dict[str, Any]

register_group("usage.", gettext_lazy("Usage adjustments"), order=100)
register_changes(
    {
        "usage.adjustment": gettext_lazy("Usage adjustment"),
        "usage.repricing": gettext_lazy("Usage repriced"),
        "usage.reprice_begin": gettext_lazy("Repricing begun"),
        "usage.reprice_end": gettext_lazy("Repricing ended"),
        "usage.assign": gettext_lazy("Unattributed usage assigned"),
    }
)


@describes("usage.adjustment", amount=int)
def cost_text(value: int) -> str:
    """What an event costs with all adjustments up to there, kept in nano-USD."""
    return format_usd(value)


@describes("usage.reprice_begin")
def begun_text(value: int) -> str:
    """How many events are looked at."""
    text = ngettext("%(count)s event to look at", "%(count)s events to look at", value)
    return text % {"count": f"{value:,}"}


@describes("usage.reprice_end")
def ended_text(value: dict[str, int]) -> str:
    """How many events were looked at, and how many were adjusted."""
    return _("%(events)s looked at, %(adjusted)s adjusted") % {
        "events": f"{value['events']:,}",
        "adjusted": f"{value['adjusted']:,}",
    }


def assigned_nanos(value: dict[str, int]) -> int:
    """What was assigned."""
    return value["nanos"]


@describes("usage.assign", amount=assigned_nanos)
def assigned_text(value: dict[str, int]) -> str:
    """`$1.94, 88 events`."""
    events = ngettext("%(count)s event", "%(count)s events", value["events"])
    count = events % {"count": f"{value['events']:,}"}
    return f"{format_usd(value['nanos'])}, {count}"


def repriced_nanos(value: Repricing) -> int:
    """What a new price made usage cost more or (below zero) less; earlier versions kept
    that alone.
    """
    return value if isinstance(value, int) else value["nanos"]


@describes("usage.repricing", amount=repriced_nanos)
def repriced_text(value: Repricing) -> str:
    """`-$12.00: The model now has a price; …`, with the amount of each reason where there
    are several.
    """
    amount = format_usd(repriced_nanos(value))
    reasons = {} if isinstance(value, int) else value["by_reason"]
    parts = [
        f"{correction_reason_text(reason)} ({format_usd(nanos)})"
        if len(reasons) > 1
        else correction_reason_text(reason)
        for reason, nanos in reasons.items()
    ]
    return f"{amount}: {' '.join(parts)}" if parts else amount
