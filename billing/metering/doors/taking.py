"""Reported events of a foreign payload, recorded as `POST /usage` records them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from accounts.models import ApiKey
from billing.metering.actions.results import Errors, EventResult
from billing.metering.api.events import read_events
from billing.metering.api.odd_events import mark_odd_events
from billing.metering.api.schemas import MAX_EVENTS
from billing.metering.api.usage import record_reported
from config.kit.limits import HOT, count_call

MOST_SENTENCES = 3
OTHER_CONTENT = "Another record with this id was recorded, with other content."


@dataclass
class Taken:
    """How many of the events were not recorded, and why, by how often."""

    rejected: int = 0
    why: Counter[str] = field(default_factory=Counter)

    def reject(self, sentence: str) -> None:
        """One more that was not recorded."""
        self.rejected += 1
        self.why[sentence] += 1

    @property
    def sentence(self) -> str:
        """What is wrong most often, for whoever reads the exporter's log."""
        told = [
            f"{sentence} ({times:,}×)" if times > 1 else sentence
            for sentence, times in self.why.most_common(MOST_SENTENCES)
        ]
        return " ".join(told)


def take(request: HttpRequest, events: list[dict[str, Any]]) -> Taken:
    """Record the events in batches; each is committed before the next begins.

    Each further batch counts as one more call of the key. What an outage or a limit cuts
    off was recorded up to some batch, and may be sent again whole.
    Raises Unauthorized, MissingScope, TooManyCalls, ClockIsOff, DatabaseError.
    """
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    taken = Taken()
    for start in range(0, len(events), MAX_EVENTS):
        if start:
            count_call(HOT, key.pk)
        sent = mark_odd_events({"events": events[start : start + MAX_EVENTS]})
        batch = read_events(sent["events"])
        for unreadable in batch.unreadable.values():
            taken.reject(_sentence(unreadable.errors))
        if batch.events:
            recorded = record_reported(batch.events, request, digest=key.digest)
            for result in recorded.results:
                _look_at(result, taken)
    return taken


def _look_at(result: EventResult, taken: Taken) -> None:
    if result.status == "invalid":
        taken.reject(_sentence(result.errors))
    elif result.status == "conflict":
        taken.reject(OTHER_CONTENT)


def _sentence(errors: Errors) -> str:
    """The first thing that is wrong, and where."""
    for loc, message in errors:
        return f"{'.'.join(map(str, loc))}: {message}"
    return "It can't be read."
