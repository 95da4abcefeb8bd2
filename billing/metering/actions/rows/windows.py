"""The included windows that a batch opened or used."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from billing.funding.rules.standing import WindowState
from billing.metering.rules.windows import Windows, WindowUse
from billing.models import IncludedWindow, UsageEvent
from billing.notices.rules.crossings import Reach
from billing.notices.rules.facts import WindowMove
from config.kit.sql import db_time, is_postgresql, rows_json, rowset, run

COLUMNS = {
    "membership_id": "bigint",
    "name": "text",
    "opened_at": "timestamptz",
    "resets_at": "timestamptz",
    "used_nanos": "bigint",
    "exhausted_at": "timestamptz",
    "is_latest": "boolean",
}
KEYS = {"membership_id": "bigint", "name": "text"}


def write_windows(windows: Windows) -> None:
    """Windows that were replaced first, since only one of a name may be the latest."""
    if windows.replaced:
        replaced = [
            {"membership_id": membership_id, "name": name}
            for membership_id, name in windows.replaced
        ]
        run(_replace_windows(is_postgresql()), [rows_json(replaced)])
    if windows.uses:
        uses = [_values(use) for use in windows.uses.values()]
        run(_upsert_windows(is_postgresql()), [rows_json(uses)])


def correct_windows(
    event: UsageEvent, nanos: int, *, limits: dict[str, int], now: dt.datetime
) -> list[WindowMove]:
    """Count what an included event costs more or less by a gateway's count in the windows
    that it counted in, under the organization's lock (X4); those that are still open, as
    they moved.
    """
    moves = []
    for name, opened_at in event.windows.items():
        window = IncludedWindow.objects.filter(
            membership_id=event.membership_id,
            name=name,
            opened_at=dt.datetime.fromisoformat(opened_at),
        ).first()
        if window is None:
            continue
        used_nanos, exhausted_at = window.used_nanos + nanos, window.exhausted_at
        if exhausted_at is None and name in limits and used_nanos >= limits[name]:
            exhausted_at = min(now, window.resets_at)
        # In a pipeline nobody knows yet how many rows there were, as `save` wants to.
        IncludedWindow.objects.filter(pk=window.pk).update(
            used_nanos=used_nanos, exhausted_at=exhausted_at
        )
        if name in limits and now < window.resets_at:
            moves.append(_move(window, limits[name], used_nanos=used_nanos))
    return moves


def _move(window: IncludedWindow, limit_nanos: int, *, used_nanos: int) -> WindowMove:
    state = WindowState(
        window.name,
        window.resets_at - window.opened_at,
        limit_nanos,
        used_nanos,
        window.opened_at,
        window.resets_at,
    )
    return WindowMove(state, Reach(window.used_nanos, limit_nanos))


@lru_cache(maxsize=2)
def _upsert_windows(postgresql: bool) -> str:
    names = ", ".join(COLUMNS)
    return (
        f"INSERT INTO billing_includedwindow ({names}) SELECT"
        f" {', '.join('r.' + name for name in COLUMNS)} FROM {rowset(COLUMNS)} WHERE true"
        " ON CONFLICT (membership_id, name, opened_at) DO UPDATE SET used_nanos ="
        " billing_includedwindow.used_nanos + excluded.used_nanos, exhausted_at ="
        " COALESCE(billing_includedwindow.exhausted_at, excluded.exhausted_at)"
    )


@lru_cache(maxsize=2)
def _replace_windows(postgresql: bool) -> str:
    false = "false" if postgresql else "0"
    return (
        f"UPDATE billing_includedwindow SET is_latest = {false} WHERE is_latest AND"
        f" (membership_id, name) IN (SELECT r.membership_id, r.name FROM {rowset(KEYS)})"
    )


def _values(use: WindowUse) -> dict[str, Any]:
    assert use.window.opened_at is not None and use.window.resets_at is not None
    return {
        "membership_id": use.membership_id,
        "name": use.window.name,
        "opened_at": db_time(use.window.opened_at),
        "resets_at": db_time(use.window.resets_at),
        "used_nanos": use.added_nanos,
        "exhausted_at": db_time(use.exhausted_at) if use.exhausted_at else None,
        "is_latest": use.is_new,  # an existing row keeps its own flag
    }
