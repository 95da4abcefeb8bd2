"""What an event costs: the sum of its parts, each priced by itself (M3). Pure; amounts
are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from billing.metering.rules.events import ReportedEvent
from billing.prices.rules import TOKEN_CLASSES, Applied, Charge, PriceBook, Usage


class EventCharge(NamedTuple):
    """What an event costs, by which rows; `parts` is empty where the event is its only
    part.
    """

    cost_nanos: int
    price_id: int
    estimated: bool
    factors: tuple[Applied, ...] = ()
    parts: tuple[Charge, ...] = ()


def charge_of_event(book: PriceBook, event: ReportedEvent) -> EventCharge:
    """What an event costs at the prices of its time.

    Raises LookupError without a fallback row.
    """
    if not event.parts:
        return EventCharge(*_charge_of(book, event, event.model, event.usage))
    charges = tuple(
        _charge_of(book, event, part.model, part.usage) for part in event.parts
    )
    return EventCharge(
        sum(charge.cost_nanos for charge in charges),
        charges[0].price_id,
        any(charge.estimated for charge in charges)
        or any(part.is_guessed for part in event.parts),
        charges[0].factors,
        charges,
    )


def _charge_of(
    book: PriceBook, event: ReportedEvent, model: str, usage: Usage
) -> Charge:
    return book.charge_of(
        usage,
        model=model,
        occurred_at=event.occurred_at,
        provider=event.provider,
        conditions=event.conditions,
    )


def counted_of(event: ReportedEvent) -> dict[str, Any]:
    """What an event's price follows from, as an adjustment keeps it (X4)."""
    parts = [(part.model, part.usage) for part in event.parts]
    return {
        "provider": event.provider,
        "conditions": event.conditions,
        "parts": [
            [model, usage.as_tuple()]
            for model, usage in parts or [(event.model, event.usage)]
        ],
    }


def cost_of_counted(
    book: PriceBook, counted: Mapping[str, Any], *, occurred_at: dt.datetime
) -> int:
    """What that costs at the prices of a book, in nano-USD."""
    charges = (
        book.charge_of(
            Usage(*counts),
            model=model,
            occurred_at=occurred_at,
            provider=counted["provider"],
            conditions=counted["conditions"],
        )
        for model, counts in counted["parts"]
    )
    return sum(charge.cost_nanos for charge in charges)


def counts_of(counted: Mapping[str, Any]) -> dict[str, int]:
    """Its counts by their fields, all parts together."""
    usage = Usage.sum(Usage(*counts) for _model, counts in counted["parts"])
    return dict(
        zip((one.field for one in TOKEN_CLASSES), usage.as_tuple(), strict=True)
    )


def kept_factors(
    factors: Sequence[Applied],
) -> dict[str, list[str | int | None]] | None:
    """Factors as a row keeps them: value and millionths by condition; None for none."""
    if not factors:
        return None
    return {one.condition: [one.value, one.millionths] for one in factors}


def conditions_kept(
    factors: Mapping[str, Sequence[str | int | None]] | None,
) -> dict[str, str]:
    """The conditions an event ran under, from what its row keeps."""
    return {condition: str(kept[0]) for condition, kept in (factors or {}).items()}


def factors_kept(
    factors: Mapping[str, Sequence[str | int | None]] | None,
) -> tuple[Applied, ...]:
    """The factors an event was priced with, from what its row keeps."""
    return tuple(
        Applied(condition, str(kept[0]), None if kept[1] is None else int(kept[1]))
        for condition, kept in sorted((factors or {}).items())
    )
