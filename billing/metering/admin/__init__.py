"""Operators' pages of usage: events, adjustments, unknown models and counters."""

from __future__ import annotations

from billing.metering.admin import adjustments, counters, events, unknown

__all__ = ["adjustments", "counters", "events", "unknown"]
