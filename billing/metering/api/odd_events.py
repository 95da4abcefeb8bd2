"""Events with text that no database stores, such as an emoji that was cut in half: their
labels are mended (E5a), elsewhere such an event is invalid and stops no other.
"""

from __future__ import annotations

from typing import Any

from billing.metering.actions.results import Errors
from config.kit.strict_json import (
    UNSAFE_TEXT,
    is_unsafe,
    refuse_unsafe,
    without_unsafe,
)


class OddEvent(dict[str, Any]):
    """An event as sent, with such text somewhere in it."""


def mark_odd_events(sent: Any) -> Any:
    """A batch whose odd events are `OddEvent`s. Raises InvalidJson for unsafe text
    anywhere else.
    """
    events = sent.get("events") if isinstance(sent, dict) else None
    if not isinstance(events, list):
        refuse_unsafe(sent)
        return sent
    refuse_unsafe({**sent, "events": None})
    marked = [
        OddEvent(event) if isinstance(event, dict) and is_unsafe(event) else event
        for event in events
    ]
    refuse_unsafe([event for event in marked if not isinstance(event, dict)])
    return {**sent, "events": marked}


def mended(event: OddEvent, notes: list[str]) -> dict[str, Any]:
    """The event with its labels without what can't be stored, which is noted."""
    labels = event.get("labels")
    if not isinstance(labels, dict) or not is_unsafe(labels):
        return event
    notes.append("Characters that can't be stored were left out of the labels.")
    safe = {without_unsafe(key): _safe_value(value) for key, value in labels.items()}
    return {**event, "labels": safe}


def odd_places(event: dict[str, Any]) -> Errors:
    """What is wrong at which keys; empty for an event that is not odd (any more)."""
    return tuple(
        ((without_unsafe(key),), UNSAFE_TEXT)
        for key, value in event.items()
        if is_unsafe([key, value])
    )


def _safe_value(value: Any) -> Any:
    # anything else than text is none that a label can keep
    return without_unsafe(value) if isinstance(value, str) else None
