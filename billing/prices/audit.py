"""How changes of prices and of included usage read on the Activity page of those whom
they touch.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes, register_group
from billing.models import ModelPrice
from billing.models.prices import SINCE_ALWAYS
from billing.prices.words import rate_text, times_text
from config.kit.dates import duration_text, format_day
from config.kit.money import format_usd

# `input, per million`, as operators' pages call a rate.
RATE_NAMES = {field.name: field.verbose_name for field in ModelPrice._meta.fields}

register_group("prices.", gettext_lazy("Prices"), order=105)
register_group("allowance.", gettext_lazy("Included usage"), order=106)
register_changes(
    {
        "prices.sync": gettext_lazy("Price"),
        "prices.correct": gettext_lazy("Price"),
        "prices.factor": gettext_lazy("Price factor"),
        "prices.name": gettext_lazy("Model name"),
        "allowance.edit": gettext_lazy("Included usage"),
    }
)


def price_values(
    starts_on: dt.date,
    context_above: int,
    *,
    before: dict[str, int] | None,
    after: dict[str, int],
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """From and to as the audit keeps them: the rates that differ (nano-USD), and for
    which requests they are. `before` is None for a row there was not.
    """
    known = before or {}
    differing = [name for name in after if known.get(name) != after[name]]
    requests = {"starts_on": starts_on.isoformat(), "context_above": context_above}
    to_value = {"rates": {name: after[name] for name in differing}, **requests}
    if before is None:
        return None, to_value
    return {"rates": {name: before[name] for name in differing}, **requests}, to_value


@describes("prices.sync", "prices.correct")
def price_text(value: dict[str, Any]) -> str:
    """`input, per million: $3.00; output, per million: $15.00; from 1 March 2026`; of a
    whole synchronisation `added: 3; corrected: 1`.
    """
    if "added" in value:
        return synced_text(value)
    # Earlier versions kept the rates alone for operators.
    rates = value.get("rates", value)
    parts = [f"{RATE_NAMES[name]}: ${rate_text(rates[name])}" for name in rates]
    if "rates" not in value:
        return "; ".join(parts)
    starts_on = dt.date.fromisoformat(value["starts_on"])
    if starts_on != SINCE_ALWAYS:
        parts.append(_("from %(day)s") % {"day": format_day(starts_on)})
    if value["context_above"]:
        tokens = f"{value['context_above']:,}"
        parts.append(_("above %(tokens)s tokens") % {"tokens": tokens})
    return "; ".join(parts)


def synced_text(counts: dict[str, int]) -> str:
    """How many rows a synchronisation touched."""
    names = {
        "added": _("added"),
        "corrected": _("corrected"),
        "retired": _("retired"),
    }
    parts = [f"{names[name]}: {counts[name]:,}" for name in names if counts.get(name)]
    return "; ".join(parts)


def factor_value(millionths: int, starts_on: dt.date) -> dict[str, Any]:
    """A factor as the audit keeps it."""
    return {"millionths": millionths, "starts_on": starts_on.isoformat()}


@describes("prices.factor")
def factor_kept_text(value: dict[str, Any] | int) -> str:
    """`× 1.1; from 1 March 2026`."""
    if isinstance(value, int):  # earlier versions, for operators
        return f"× {times_text(value)}"
    starts_on = dt.date.fromisoformat(value["starts_on"])
    parts = [f"× {times_text(value['millionths'])}"]
    if starts_on != SINCE_ALWAYS:
        parts.append(_("from %(day)s") % {"day": format_day(starts_on)})
    return "; ".join(parts)


@describes("allowance.edit")
def allowance_text(value: dict[str, Any]) -> str:
    """`$48.00 in 5 h`, kept in nano-USD and seconds."""
    return _("%(amount)s in %(length)s") % {
        "amount": format_usd(value["amount_nanos"]),
        "length": duration_text(dt.timedelta(seconds=value["length_seconds"])),
    }
