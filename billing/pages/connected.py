"""The table of what is connected: each key with what it reported today and whether it
asks. Reads only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.key_use import KeyUse, uses_of
from accounts.models import ApiKey, Scope
from billing.pages.connecting import PERSONAL, ConnectPage
from billing.pages.ways import CLAUDE_CODE, GROUPS, WAYS, Way
from billing.reports.queries.keys import KeyDay, keys_today
from config.kit.months import local_day

A_DAY = dt.timedelta(days=1)
ON, NOTE, OFF = "on", "soon", "off"


@dataclass(frozen=True, slots=True)
class ConnectedRow:
    """One line: a key, all personal tokens, or what came without a key. `last_at` is
    exact for today, else the minute; `look` is how its state is marked.
    """

    name: str
    about: str
    prefix: str
    today: KeyDay | None
    last_at: dt.datetime | None
    state: str
    look: str


class ConnectedTable:
    """What is connected to one organization."""

    def __init__(self, page: ConnectPage) -> None:
        self.page = page
        self.organization = page.organization
        self.now = page.now

    def part(self) -> dict[str, Any]:
        """The table, and what of it stands elsewhere: today's events, the ways in use."""
        rows = sorted(self.rows, key=_newest_first)
        return self.page.shared() | {
            "rows": rows,
            "is_connected": any(row.look == ON for row in rows),
            "events_today": sum(day.events for day in self.today.values()),
            "groups": GROUPS,
            "ways_in_use": self.ways_in_use,
        }

    @cached_property
    def today(self) -> dict[int | None, KeyDay]:
        """What each key reported today."""
        return keys_today(self.organization.pk, zone=self.page.zone, now=self.now)

    @cached_property
    def keys(self) -> list[ApiKey]:
        """The organization's keys that meter: those in use, and those that reported
        today before they were revoked.
        """
        keys = self.organization.api_keys.filter(scopes__contains=Scope.METER)
        in_use = keys.live(self.now)
        reported = [key_id for key_id in self.today if key_id is not None]
        ended = keys.exclude(pk__in=in_use).filter(pk__in=reported)
        return [*in_use, *ended]

    @cached_property
    def uses(self) -> dict[int, KeyUse]:
        """How each of them was used."""
        return uses_of(self.keys)

    @property
    def ways_in_use(self) -> set[str]:
        """The ways of which a key reports, or asks where that is all it can."""
        in_use = {
            key.way
            for key in self.keys
            if key.way in WAYS
            and (
                self.uses[key.pk].first_event_id
                if WAYS[key.way].reports
                else self.uses[key.pk].asked_at
            )
        }
        return in_use | ({CLAUDE_CODE.slug} if self._tokens_today else set())

    @property
    def rows(self) -> list[ConnectedRow]:
        """The lines, in no order."""
        rows = [self._row(key) for key in self.keys]
        if self._tokens_today:
            rows.append(self._tokens_row(self._tokens_today))
        if without := self.today.get(None):
            rows.append(_row_without_key(without))
        return rows

    def _row(self, key: ApiKey) -> ConnectedRow:
        use, today = self.uses[key.pk], self.today.get(key.pk)
        state, look = self._state(key, use)
        way = WAYS.get(key.way)
        return ConnectedRow(
            key.name,
            _about(key, way),
            key.prefix,
            today,
            today.last_at if today else use.reported_at,
            state,
            look,
        )

    @cached_property
    def _tokens_today(self) -> KeyDay | None:
        """What people's own tokens reported today, together."""
        tokens = self.organization.api_keys.filter(
            scopes=PERSONAL, pk__in=[key for key in self.today if key is not None]
        )
        days = [self.today[pk] for pk in tokens.values_list("pk", flat=True)]
        if not days:
            return None
        return KeyDay(
            sum(day.events for day in days),
            sum(day.cost_nanos for day in days),
            max(day.last_at for day in days),
        )

    def _tokens_row(self, today: KeyDay) -> ConnectedRow:
        return ConnectedRow(
            _("Personal tokens"),
            _("made by people for themselves"),
            "",
            today,
            today.last_at,
            _("Reports"),
            ON,
        )

    def _state(self, key: ApiKey, use: KeyUse) -> tuple[str, str]:
        """What the key does, in words and how they are marked."""
        if key.revoked_at:
            return _("Revoked"), OFF
        if key.expires_at and key.expires_at <= self.now:
            return _("Expired"), OFF
        if use.used_at is None:
            return _("Not used yet"), OFF
        if use.used_at <= self.now - A_DAY:
            return self._silence(use.used_at), OFF
        asks, reports = self._is_lately(use.asked_at), self._is_lately(use.reported_at)
        if asks and reports:
            return _("Asks and reports"), ON
        if reports:
            return _("Reports, does not ask"), ON
        if asks:
            way = WAYS.get(key.way)
            does_all = way is not None and not way.reports
            return _("Asks, reports nothing"), ON if does_all else NOTE
        return _("Used, neither asks nor reports"), NOTE

    def _is_lately(self, moment: dt.datetime | None) -> bool:
        return moment is not None and moment > self.now - A_DAY

    def _silence(self, used_at: dt.datetime) -> str:
        zone = self.page.zone
        days = (local_day(self.now, zone) - local_day(used_at, zone)).days
        return ngettext("Silent for %(days)d day", "Silent for %(days)d days", days) % {
            "days": days
        }


def _about(key: ApiKey, way: Way | None) -> str:
    """The way of a key; in other words where the key is called as it is."""
    if way is None:
        return _("API key")
    return str(way.line if key.name == str(way.name) else way.name)


def _row_without_key(today: KeyDay) -> ConnectedRow:
    return ConnectedRow(
        _("No key"),
        _("recorded without one, or before it was kept"),
        "",
        today,
        today.last_at,
        _("Reports"),
        ON,
    )


def _newest_first(row: ConnectedRow) -> tuple[int, int]:
    """By today's events, then by the last of before."""
    events = row.today.events if row.today else 0
    return -events, -int(row.last_at.timestamp()) if row.last_at else 0
