"""Builders of standings for tables of cases. Amounts in whole USD."""

from __future__ import annotations

import datetime as dt
from typing import Any

from billing.funding.rules.standing import (
    Cap,
    OrganizationStanding,
    Standing,
    WindowState,
)
from config.kit.money import usd
from config.kit.months import Calendar
from tests.conftest import NOW

MONTH = Calendar("America/New_York").month_at(NOW)
SESSION, WEEK = dt.timedelta(hours=5), dt.timedelta(days=7)
SESSION_RESETS = NOW + dt.timedelta(hours=1, minutes=12)
WEEK_RESETS = NOW + dt.timedelta(days=2, hours=18)


def cap(
    amount: int | None, *, later: int | str | None = "same", month_only: bool = False
) -> Cap:
    """A cap of `amount` USD; `later` is what holds from the next month on."""
    nanos = None if amount is None else usd(amount)
    if later == "same":
        return Cap(nanos, month_only, nanos)
    return Cap(nanos, True, None if later is None else usd(int(later)))


def organization(**changes: Any) -> OrganizationStanding:
    """Acme: seat-based Enterprise, extra usage on for everyone, $9,684 of $12,000 spent."""
    values: dict[str, Any] = {
        "id": 1,
        "slug": "acme",
        "name": "Acme",
        "plan": "enterprise_seat",
        "settlement": "postpaid",
        "month": MONTH,
        "enabled": True,
        "scope": "everyone",
        "cap": cap(12_000),
        "spent_nanos": usd(9_684),
    }
    return OrganizationStanding(**{**values, **changes})


def windows(
    *, session_left: bool = False, week_left: bool = True, limit: int = 1
) -> list[WindowState]:
    """A session and a week window, each with or without something left."""
    return [
        WindowState(
            "session",
            SESSION,
            usd(limit),
            usd(limit) - session_left,
            SESSION_RESETS - SESSION,
            SESSION_RESETS,
        ),
        WindowState(
            "week",
            WEEK,
            usd(limit),
            usd(limit) - week_left,
            WEEK_RESETS - WEEK,
            WEEK_RESETS,
        ),
    ]


def standing(org: OrganizationStanding | None = None, **changes: Any) -> Standing:
    """Bob: standard seat, session used up, $31 of the seat's $40 spent."""
    values: dict[str, Any] = {
        "organization": org or organization(),
        "membership_id": 7,
        "email": "bob@acme.example",
        "name": "Bob Feld",
        "language": "en",
        "is_active": True,
        "seat_tier": "standard",
        "selected": False,
        "own_cap": cap(None),
        "seat_cap": cap(40),
        "spent_nanos": usd(31),
        "windows": windows(),
    }
    return Standing(**{**values, **changes})
