"""Operators' pages of usage: events, adjustments, unknown models and counters; and the
steps on them.
"""

from __future__ import annotations

from billing.metering.admin import (
    adjust_steps,
    adjustments,
    counters,
    events,
    finders,
    needs,
    reprice_steps,
    unattributed,
    unknown,
)

__all__ = [
    "adjust_steps",
    "adjustments",
    "counters",
    "events",
    "finders",
    "needs",
    "reprice_steps",
    "unattributed",
    "unknown",
]
