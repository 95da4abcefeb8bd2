"""What gateways counted otherwise than telemetry (X4): models that are named only there, and
in no event's row. Read-only; amounts are nano-USD.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from billing.models import AdjustmentSource, UsageAdjustment, UsageEvent
from billing.prices.rules import PriceBook, Usage


class CountedPart(NamedTuple):
    """One model of a correction, with its counts in the order of the token classes."""

    event: UsageEvent
    model: str
    provider: str
    counts: list[int]
    conditions: dict[str, Any]

    def cost_nanos(self, book: PriceBook) -> int:
        """What it costs at the prices of a book."""
        return book.charge_of(
            Usage(*self.counts),
            model=self.model,
            occurred_at=self.event.occurred_at,
            provider=self.provider,
            conditions=self.conditions,
        ).cost_nanos


def counted_parts(organization_id: int | None = None) -> Iterator[CountedPart]:
    """The models of corrections that the corrected events' own rows do not name."""
    words = UsageAdjustment.objects.filter(
        source=AdjustmentSource.REPORT, counted__isnull=False
    ).order_by("pk")
    if organization_id is not None:
        words = words.filter(organization_id=organization_id)
    words = words.select_related("event").prefetch_related("event__parts")
    for word in words.iterator(chunk_size=2_000):
        counted, event = word.counted, word.event
        assert counted is not None
        named = {event.model} | {part.model for part in event.parts.all()}
        for model, counts in counted["parts"]:
            if model not in named:
                yield CountedPart(
                    event, model, counted["provider"], counts, counted["conditions"]
                )


def events_counted_as(organization_id: int, models: Collection[str]) -> set[int]:
    """The rows of events of an organization that a gateway counted as one of `models`."""
    parts = counted_parts(organization_id)
    return {part.event.pk for part in parts if part.model in models}
