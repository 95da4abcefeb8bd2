"""The parts of a batch's events, as rows of `UsagePart` (M3)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from billing.metering.actions.rows.events import EventRow
from billing.metering.rules.pricing import kept_factors
from config.kit.sql import is_postgresql, rows_json, rowset, run

COLUMNS = {
    "position": "smallint",
    "kind": "text",
    "model": "text",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "cache_write_5m_tokens": "bigint",
    "cache_write_1h_tokens": "bigint",
    "cache_read_tokens": "bigint",
    "web_searches": "bigint",
    "cost_nanos": "bigint",
    "price_id": "bigint",
    "estimated": "boolean",
    "is_guessed": "boolean",
    "factors": "jsonb",
}


def write_parts(rows: list[EventRow], *, organization_id: int) -> None:
    """Insert the parts of events that are written already."""
    values = [part for row in rows for part in _parts_of(row)]
    if values:
        run(_insert_parts(is_postgresql()), [rows_json(values), organization_id])


@lru_cache(maxsize=2)
def _insert_parts(postgresql: bool) -> str:
    source = rowset({"event": "text", **COLUMNS})
    return (
        f"INSERT INTO billing_usagepart (event_id, {', '.join(COLUMNS)}) SELECT e.id,"
        f" {', '.join('r.' + name for name in COLUMNS)} FROM {source} JOIN"
        " billing_usageevent e ON e.event_id = r.event AND e.organization_id = %s"
    )


def _parts_of(row: EventRow) -> list[dict[str, Any]]:
    event = row.priced.event
    parts = zip(event.parts, row.priced.charge.parts, strict=True)
    return [
        {
            "event": event.id,
            "position": position,
            "kind": part.kind,
            "model": part.model,
            "input_tokens": part.usage.input_tokens,
            "output_tokens": part.usage.output_tokens,
            "cache_write_5m_tokens": part.usage.cache_write_5m_tokens,
            "cache_write_1h_tokens": part.usage.cache_write_1h_tokens,
            "cache_read_tokens": part.usage.cache_read_tokens,
            "web_searches": part.usage.web_searches,
            "cost_nanos": charge.cost_nanos,
            "price_id": charge.price_id,
            "estimated": charge.estimated or part.is_guessed,
            "is_guessed": part.is_guessed,
            "factors": kept_factors(charge.factors),
        }
        for position, (part, charge) in enumerate(parts)
    ]
