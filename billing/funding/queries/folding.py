"""Rows of the statement as standings: one row a member and window, folded together."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from accounts.models import Membership
from accounts.models.organizations import calendar_of
from accounts.queries import is_membership_id
from billing.funding.queries.statement import Columns
from billing.funding.rules.seats import Allowance, HeldSeat, SeatHistory
from billing.funding.rules.standing import (
    Cap,
    OrganizationStanding,
    Standing,
    WindowState,
)
from config.kit.addresses import canonical_address
from config.kit.external_names import is_external_name
from config.kit.months import Calendar, Month, previous_month
from config.kit.sql import Row, as_date, as_text, as_time


@dataclass(slots=True)
class Standings:
    """What a key or an organization's id opened: the organization, and the standings of
    the members asked for, by e-mail address, by membership id and by external id.
    """

    organization: OrganizationStanding
    calendar: Calendar
    price_version: int
    key_id: int | None
    scopes: list[str]
    key_expires_at: dt.datetime | None = None
    # Whose personal token it is (X3); None for a key of the organization itself.
    key_membership_id: int | None = None
    # What the database's clock showed; None on SQLite, which has none.
    database_time: dt.datetime | None = None
    # The latest closed month; until there is one, when the organization was created.
    frozen_through_on: dt.date | None = None
    created_at: dt.datetime | None = None
    by_email: dict[str, Standing] = field(default_factory=dict)
    by_id: dict[int, Standing] = field(default_factory=dict)
    by_external: dict[str, Standing] = field(default_factory=dict)
    # The organization's line for usage of somebody unknown, where that was asked for; no
    # name leads to it (X2).
    nobody: Standing | None = None
    # Latest windows that are no longer open at the moment of the reading, for events
    # that come late.
    closed: dict[tuple[int, str], WindowState] = field(default_factory=dict)
    # The seats of those whose seat changed since the recorder's oldest event (E5).
    histories: dict[int, SeatHistory] = field(default_factory=dict)

    def is_open(self, now: dt.datetime) -> bool:
        """Whether the key that opened them may still, at `now`."""
        return self.key_expires_at is None or now < self.key_expires_at

    def member(self, ref: str) -> Standing | None:
        """The member with this e-mail address (case-insensitive), membership id or
        external id; for the empty text, the one whose personal token it is.
        """
        if is_membership_id(ref):
            return self.by_id.get(int(ref))
        if is_external_name(ref):
            return self.by_external.get(ref)
        if not ref:
            return self.by_id.get(self.key_membership_id or 0)
        return self.by_email.get(canonical_address(ref))

    def closed_through_on(self) -> dt.date:
        """The latest month that takes no events: closed, or two before the
        organization's own first month (P1).
        """
        if self.frozen_through_on is not None:
            return self.frozen_through_on
        assert self.created_at is not None
        return previous_month(
            previous_month(month_at(self.calendar, self.created_at).first_on)
        )


def fold(rows: list[Row], *, now: dt.datetime) -> Standings | None:
    """The rows' standings; None for no rows. Months that are not the current one of the
    organization's zone, or the first open one, are passed over.
    """
    if not rows:
        return None
    first = Columns._make(rows[0])
    calendar = _calendar(first.timezone, as_text(first.past_timezones))
    frozen_through_on = as_date(first.frozen_through)
    # What is closed takes nothing in, whatever the clock says: caps and counters are
    # then those of the first open month (P1).
    month = calendar.unless_closed(
        month_at(calendar, now), closed_through=frozen_through_on
    )
    organization = _organization(first, month=month)
    standings = Standings(
        organization,
        calendar,
        price_version=first.price_version or 0,
        key_id=first.key_id,
        scopes=(first.key_scopes or "").split(),
        key_expires_at=as_time(first.key_expires_at),
        key_membership_id=first.key_membership_id,
        database_time=first.database_time,
        frozen_through_on=frozen_through_on,
        created_at=as_time(first.created_at),
    )
    for row in map(Columns._make, rows):
        if as_date(row.organization_month_on) == month.first_on:
            organization.spent_nanos = row.organization_spent
    add_members(standings, rows, now=now)
    return standings


def add_members(standings: Standings, rows: list[Row], *, now: dt.datetime) -> None:
    """Fold rows of further members into the standings of their organization."""
    month = standings.organization.month
    for row in map(Columns._make, rows):
        if row.membership_id is not None:
            _fold_member(standings, row, month=month, now=now)


@lru_cache(maxsize=512)
def _calendar(timezone: str, past_timezones: str) -> Calendar:
    return calendar_of(timezone, json.loads(past_timezones))


@lru_cache(maxsize=512)
def _month_within(calendar: Calendar, hour: dt.datetime) -> tuple[Month, Month]:
    return calendar.month_at(hour), calendar.month_at(hour + dt.timedelta(hours=1))


def month_at(calendar: Calendar, now: dt.datetime) -> Month:
    """`calendar.month_at(now)`, remembered by the hour since a check asks it each time."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    month, following = _month_within(calendar, hour)
    return month if now < month.end else following


def _organization(row: Columns, *, month: Month) -> OrganizationStanding:
    """Without what it spent this month, which is in the row of that month."""
    balance_nanos = None
    if row.settlement == "prepaid":
        balance_nanos = (row.ledger or 0) - (row.pending or 0)
    return OrganizationStanding(
        id=row.organization_id,
        slug=row.slug,
        name=row.organization_name,
        plan=row.plan,
        settlement=row.settlement,
        requests_enabled=bool(row.requests_enabled),
        leases_allowed=bool(row.leases_allowed),
        month=month,
        enabled=bool(row.enabled),
        scope=row.scope or "everyone",
        cap=_cap(row.cap, row.cap_month_on, row.cap_month, month=month),
        spent_nanos=0,
        balance_nanos=balance_nanos,
        threshold_nanos=row.reload_threshold or 0,
        reload_threshold_nanos=row.reload_threshold,
        auto_reload=bool(row.auto_reload),
    )


def _cap(
    amount: int | None, month_on: Any, month_amount: int | None, *, month: Month
) -> Cap:
    if month_on is not None and as_date(month_on) == month.first_on:
        return Cap(month_amount, True, amount)
    return Cap(amount, False, amount)


def _fold_member(
    standings: Standings, row: Columns, *, month: Month, now: dt.datetime
) -> None:
    if row.status == Membership.Status.NOBODY:
        standings.nobody = _member(standings.organization, row, month=month)
        return
    standing = standings.by_id.get(row.membership_id)
    if standing is None:
        standing = _member(standings.organization, row, month=month)
        standings.by_id[row.membership_id] = standings.by_email[row.email] = standing
    if as_date(row.member_month_on) == month.first_on:
        standing.spent_nanos = row.member_spent
        standing.cost_nanos, standing.events = row.member_cost, row.member_events
    if row.past_seats is not None:
        _fold_seat(standings, standing, row, month=month, now=now)
    elif row.window and all(window.name != row.window for window in standing.windows):
        window, closed = _window(row, now=now)
        standing.windows.append(window)
        if closed:
            standings.closed[standing.membership_id, closed.name] = closed
        standing.windows.sort(key=lambda window: window.length)


def _member(
    organization: OrganizationStanding, row: Columns, *, month: Month
) -> Standing:
    return Standing(
        organization=organization,
        membership_id=row.membership_id,
        email=row.email,
        name=row.name,
        language=row.language,
        is_active=row.status == "active",
        is_switched_off=row.status == "switched_off",
        is_nobody=row.status == Membership.Status.NOBODY,
        seat_tier=row.seat_tier,
        selected=row.selected is not None,
        own_cap=_cap(row.own_cap, row.own_cap_month_on, row.own_cap_month, month=month),
        seat_cap=_cap(
            row.seat_cap, row.seat_cap_month_on, row.seat_cap_month, month=month
        ),
        spent_nanos=0,
    )


def _window(
    row: Columns, *, now: dt.datetime
) -> tuple[WindowState, WindowState | None]:
    """The window open at `now`, else an unopened one and the latest that has ended (I2)."""
    length = dt.timedelta(seconds=row.window_seconds)
    unopened = WindowState(row.window, length, row.window_limit)
    latest = WindowState(
        row.window,
        length,
        row.window_limit,
        row.window_used or 0,
        as_time(row.window_opened_at),
        as_time(row.window_resets_at),
    )
    if latest.resets_at is None:
        return unopened, None
    if latest.resets_at <= now:
        return unopened, latest
    return latest, None


def _fold_seat(
    standings: Standings,
    standing: Standing,
    row: Columns,
    *,
    month: Month,
    now: dt.datetime,
) -> None:
    """What one of the seats they held means: its cap, and one of its windows. Which seat
    it was is asked by event, so the standing has none yet.
    """
    history = standings.histories.get(standing.membership_id)
    if history is None:
        history = SeatHistory(
            _held_seats(as_text(row.past_seats)), row.seat_tier, row.status == "active"
        )
        standings.histories[standing.membership_id] = history
    if row.window_tier is None:
        return
    history.caps[row.window_tier] = _cap(
        row.seat_cap, row.seat_cap_month_on, row.seat_cap_month, month=month
    )
    window, closed = _window(row, now=now)
    allowances = history.allowances.setdefault(row.window_tier, {})
    allowances[window.name] = Allowance(window.length, window.limit_nanos)
    history.windows.setdefault(window.name, window)
    if closed and window.name not in history.closed:
        history.closed[window.name] = closed
        standings.closed[standing.membership_id, closed.name] = closed


def _held_seats(text: str) -> list[HeldSeat]:
    return [
        HeldSeat(dt.datetime.fromisoformat(until), seat_tier, is_active)
        for until, seat_tier, is_active in json.loads(text)
    ]
