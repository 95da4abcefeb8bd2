"""What the prices of today make of events recorded before (M4). Read-only; amounts are
nano-USD.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple

from django.db.models import Q, QuerySet

from billing.metering.queries.counted import events_counted_as
from billing.metering.rules.pricing import conditions_kept, cost_of_counted
from billing.models import (
    AdjustmentSource,
    RepricingReason,
    UsageAdjustment,
    UsageEvent,
    UsagePart,
)
from billing.prices.rules import FALLBACK, Charge, PriceBook, Usage

CHUNK = 2_000


class Difference(NamedTuple):
    """What the prices in force make of an event or one of its parts, less what it comes
    to now, and why: a `RepricingReason`.
    """

    event: UsageEvent
    part: UsagePart | None
    nanos: int
    price_id: int
    reason: str

    @property
    def model(self) -> str:
        """The model whose price it is, as it was reported."""
        return self.part.model if self.part else self.event.model


class PricedOtherwise(NamedTuple):
    """The ids of events to look at closer, of how many."""

    ids: list[int]
    looked_at: int


def events_priced_otherwise(
    organization_id: int,
    book: PriceBook,
    *,
    models: Collection[str] | None = None,
    latest: int | None = None,
) -> PricedOtherwise:
    """The events of an organization that today's prices would price otherwise, or that
    had a price's difference booked before; `latest`: of so many of the newest, and
    without those, to estimate.
    """
    events = UsageEvent.objects.filter(organization_id=organization_id).order_by("pk")
    if models is not None:
        by_row = Q(model__in=models) | Q(parts__model__in=models)
        by_gateway = Q(pk__in=events_counted_as(organization_id, models))
        events = events.filter(by_row | by_gateway).distinct()
    if latest is not None:
        events = events.order_by("-pk")[:latest]
    booked = _booked_before(organization_id) if latest is None else set()
    ids = []
    looked_at = 0
    for event, parts in _with_parts(events):
        looked_at += 1
        if event.pk in booked or any(
            charge.cost_nanos != row.cost_nanos
            for row, charge in _charges(event, parts, book)
        ):
            ids.append(event.pk)
    return PricedOtherwise(ids, looked_at)


def _booked_before(organization_id: int) -> set[int]:
    """Events that a price or a gateway's count was booked for: their row is not all."""
    adjustments = UsageAdjustment.objects.filter(
        organization_id=organization_id,
        source__in=[AdjustmentSource.PRICE, AdjustmentSource.REPORT],
    )
    return set(adjustments.values_list("event_id", flat=True))


def differences_of(
    events: QuerySet[UsageEvent], book: PriceBook
) -> Iterator[Difference]:
    """The difference of each event, or of each of its parts; zero where there is none.

    An operator's decision stands: a new price books what the prices alone differ by. What
    an operator waived is not given back a second time: no event comes to less than
    nothing.
    """
    by_price, booked = _booked(events)
    by_gateway = _counted_by_gateways(events)
    for event, parts in _with_parts(events):
        differences = [
            _difference(event, row, charge, by_price, book)
            for row, charge in _charges(event, parts, book)
        ]
        if event.pk in by_gateway:
            differences = [
                _of_gateway(event, by_gateway[event.pk], differences, by_price, book)
            ]
        yield from _not_below_nothing(differences, event.cost_nanos + booked[event.pk])


def costs_today(events: Collection[UsageEvent], book: PriceBook) -> dict[int, int]:
    """What events as recorded cost at the prices of a book, by their row."""
    return {
        event.pk: sum(
            charge.cost_nanos for _row, charge in _charges(event, parts, book)
        )
        for event, parts in _join_parts(list(events))
    }


def _difference(
    event: UsageEvent,
    row: UsageEvent | UsagePart,
    charge: Charge,
    by_price: dict[tuple[int, int | None], int],
    book: PriceBook,
) -> Difference:
    part = row if isinstance(row, UsagePart) else None
    before = row.cost_nanos + by_price[event.pk, part.pk if part else None]
    reason = _reason(row, charge, event, book)
    return Difference(event, part, charge.cost_nanos - before, charge.price_id, reason)


def _counted_by_gateways(events: QuerySet[UsageEvent]) -> dict[int, UsageAdjustment]:
    """What a gateway counted otherwise than telemetry, by event (X4)."""
    words = UsageAdjustment.objects.filter(
        event__in=events, source=AdjustmentSource.REPORT, counted__isnull=False
    )
    return {word.event_id: word for word in words}


def _of_gateway(
    event: UsageEvent,
    word: UsageAdjustment,
    differences: list[Difference],
    by_price: dict[tuple[int, int | None], int],
    book: PriceBook,
) -> Difference:
    """The difference where a gateway's count holds: that is priced, as a whole."""
    assert word.counted is not None
    of_prices = sum(nanos for (pk, _part), nanos in by_price.items() if pk == event.pk)
    before = event.cost_nanos + word.amount_nanos + of_prices
    cost = cost_of_counted(book, word.counted, occurred_at=event.occurred_at)
    return differences[0]._replace(part=None, nanos=cost - before)


def _not_below_nothing(
    differences: list[Difference], left_nanos: int
) -> Iterator[Difference]:
    """The differences of one event that comes to `left_nanos` now, those downwards cut
    as far as their sum would bring it below nothing.
    """
    missing = -min(0, left_nanos + sum(difference.nanos for difference in differences))
    for difference in differences:
        cut = min(missing, max(0, -difference.nanos))
        missing -= cut
        yield difference._replace(nanos=difference.nanos + cut)


def _booked(
    events: QuerySet[UsageEvent],
) -> tuple[dict[tuple[int, int | None], int], dict[int, int]]:
    """What was booked later: by prices for each event and part, and in all by event."""
    by_price: dict[tuple[int, int | None], int] = defaultdict(int)
    booked: dict[int, int] = defaultdict(int)
    rows = UsageAdjustment.objects.filter(event__in=events).values_list(
        "event_id", "part_id", "source", "amount_nanos"
    )
    for event_id, part_id, source, nanos in rows:
        booked[event_id] += nanos
        if source == AdjustmentSource.PRICE:
            by_price[event_id, part_id] += nanos
    return by_price, booked


def _with_parts(
    events: QuerySet[UsageEvent],
) -> Iterator[tuple[UsageEvent, list[UsagePart]]]:
    """Each event with its parts, which few have: none asks for them alone."""
    chunk = []
    for event in events.iterator(chunk_size=CHUNK):
        chunk.append(event)
        if len(chunk) == CHUNK:
            yield from _join_parts(chunk)
            chunk = []
    yield from _join_parts(chunk)


def _join_parts(
    events: list[UsageEvent],
) -> Iterator[tuple[UsageEvent, list[UsagePart]]]:
    split = [event.pk for event in events if event.is_split]
    parts: dict[int, list[UsagePart]] = defaultdict(list)
    if split:
        for part in UsagePart.objects.filter(event_id__in=split).order_by("position"):
            parts[part.event_id].append(part)
    for event in events:
        yield event, parts[event.pk]


def _charges(
    event: UsageEvent, parts: list[UsagePart], book: PriceBook
) -> Iterator[tuple[UsageEvent | UsagePart, Charge]]:
    """What today's prices charge for an event, or for each of its parts."""
    rows: list[UsageEvent | UsagePart] = [*parts] or [event]
    for row in rows:
        charge = book.charge_of(
            Usage.of(row),
            model=row.model,
            occurred_at=event.occurred_at,
            provider=event.provider,
            conditions=conditions_kept(row.factors),
        )
        yield row, charge


def _reason(
    row: UsageEvent | UsagePart, charge: Charge, event: UsageEvent, book: PriceBook
) -> str:
    """Why it costs otherwise now."""
    was = {name: kept[1] for name, kept in (row.factors or {}).items()}
    if was != {one.condition: one.millionths for one in charge.factors}:
        return RepricingReason.FACTOR_CHANGED
    known = book.priced_model(row.model, event.provider)
    if not row.estimated or known.model == FALLBACK:
        return RepricingReason.PRICE_CORRECTED
    if book.is_alias(row.model):
        return RepricingReason.NAME_MAPPED
    return RepricingReason.MODEL_PRICED
