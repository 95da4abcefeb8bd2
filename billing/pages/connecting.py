"""What the page Connect shows of one way: its key, and what that was seen to do. Reads
only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.key_use import (
    LAST_LETTERS,
    KeyUse,
    RefusedKey,
    refused_like,
    uses_of,
)
from accounts.models import ApiKey, Membership, Scope
from billing.metering.receipts import Receipt, receipt_of
from billing.pages.ways import GROUPS, Way
from billing.reports.queries.keys import event_called
from config.kit.keys import PREFIX, PREFIX_LENGTH
from config.kit.links import absolute

A_MINUTE = dt.timedelta(minutes=1)
# A page left open asks less often once nothing came for so long.
PATIENCE = dt.timedelta(minutes=10)
# The scope of a token that people make for themselves.
PERSONAL = Scope.SELF
# Personal tokens that are looked through for one that reported: the newest.
MOST_TOKENS = 50


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of the lines that were copied: the first event that the key reported;
    before it, what was seen of the key.
    """

    key: ApiKey | None = None
    use: KeyUse | None = None
    first: Receipt | None = None
    refused: RefusedKey | None = None
    waited: dt.timedelta = dt.timedelta()
    # The way reports nothing by itself: a check is all to wait for.
    is_for_checks: bool = False

    @property
    def has_come(self) -> bool:
        """Whether what is waited for is there."""
        if self.is_for_checks and self.use is not None and self.use.asked_at:
            return True
        return self.first is not None

    @property
    def is_awaited(self) -> bool:
        """Whether the page looks again."""
        return self.key is not None and not self.has_come

    @property
    def person(self) -> str:
        """Whose the first event is: an address, or what was sent of somebody unknown."""
        if self.first is None:
            return ""
        event = self.first.event
        unknown = event.unattributed
        return unknown.sent_as if unknown else event.membership.user.email

    @property
    def tokens_in(self) -> int:
        """What the first event read, from a cache or not."""
        if self.first is None:
            return 0
        event = self.first.event
        written = event.cache_write_5m_tokens + event.cache_write_1h_tokens
        return event.input_tokens + event.cache_read_tokens + written

    @property
    def is_late(self) -> bool:
        """Whether it waits for longer than that usually takes."""
        return self.waited >= A_MINUTE

    @property
    def every_seconds(self) -> int:
        """How often the page looks again."""
        return 3 if self.waited < PATIENCE else 30


class ConnectPage:
    """Settings › Connect as an owner sees it."""

    def __init__(self, membership: Membership, way: Way, now: dt.datetime) -> None:
        self.membership = membership
        self.organization = membership.organization
        self.way = way
        self.now = now
        self.zone = self.organization.zone_at(now)

    def shared(self) -> dict[str, Any]:
        """What every part needs."""
        return {
            "organization": self.organization,
            "membership": self.membership,
            "way": self.way,
            "zone": self.zone,
            "site_url": absolute(""),
        }

    @cached_property
    def key(self) -> ApiKey | None:
        """The newest key in use that was made for the way."""
        return self._of_way.first()

    @property
    def _of_way(self) -> QuerySet[ApiKey]:
        keys = self.organization.api_keys.live(self.now).select_related("created_by")
        if self.way.is_personal:
            keys = keys.filter(scopes=PERSONAL)
        else:
            keys = keys.filter(way=self.way.slug)
        return keys.order_by("-created_at", "-pk")

    def way_part(self) -> dict[str, Any]:
        """The list of ways, and of the chosen one its key with what came of it."""
        return self.shared() | {
            "groups": GROUPS,
            "key": self.key,
            "is_by_reader": self.key is not None
            and self.key.created_by_id == self.membership.user_id,
            **self.arrival_part(),
        }

    def lines_part(self, secret: str) -> dict[str, Any]:
        """What stands in the lines to copy: where we are, and the key, shortened to be
        read, whole to be copied as long as it is known.
        """
        site = urlsplit(absolute(""))
        return {
            "secret": secret,
            "key_mark": _mark(secret, self.key),
            "site_host": site.hostname,
            "site_port": site.port or {"https": 443}.get(site.scheme, 80),
            "site_is_https": site.scheme == "https",
        }

    def next_name(self) -> str:
        """What the next key for the way is called, if nobody says otherwise."""
        number = self.organization.api_keys.filter(way=self.way.slug).count()
        return f"{self.way.name} {number + 1}" if number else str(self.way.name)

    def arrival_part(self) -> dict[str, Any]:
        """The first event, or what is waited for."""
        return self.shared() | {"arrival": self.arrival(), "now": self.now}

    def arrival(self) -> Arrival:
        """What came of the way's key; of personal tokens, of the first that reported."""
        keys = list(self._of_way[: MOST_TOKENS if self.way.is_personal else 1])
        uses = uses_of(keys)
        reported = [key for key in reversed(keys) if uses[key.pk].first_event_id]
        asked = [key for key in keys if uses[key.pk].used_at]
        key = next(iter([*reported, *asked, *keys]), None)
        if key is None:
            return Arrival()
        use = uses[key.pk]
        return Arrival(
            key,
            use,
            self._first(use),
            self._refused(key, use),
            self.now - key.created_at,
            is_for_checks=not self.way.reports,
        )

    def _first(self, use: KeyUse) -> Receipt | None:
        if not use.first_event_id:
            return None
        event = event_called(self.organization.pk, use.first_event_id)
        return receipt_of(event) if event else None

    @staticmethod
    def _refused(key: ApiKey, use: KeyUse) -> RefusedKey | None:
        """A refused key that begins like this one, unless this one came since."""
        refused = refused_like(key)
        if refused is None or (use.used_at and use.used_at > refused.at):
            return None
        return refused


def _mark(secret: str, key: ApiKey | None) -> SafeString:
    if secret:
        shown = f"{secret[:PREFIX_LENGTH]}…{secret[-LAST_LETTERS:]}"
        return format_html('<span data-whole="{}">{}</span>', secret, shown)
    shown = f"{key.prefix}…" if key else f"{PREFIX}…"
    return format_html("<span>{}</span>", shown)
