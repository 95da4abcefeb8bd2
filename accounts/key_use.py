"""When, from where and for what an API key was last used, without a write on each call:
noted in the cache, written down by a job. And which keys were good a moment ago.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import ApiKey
from config.kit.http import client_address, note_caller
from config.kit.keys import PREFIX, PREFIX_LENGTH

log = structlog.get_logger(__name__)
EVERY_SECONDS = 60
A_DAY = 24 * 3600
REFUSED_SECONDS = 600
LAST_LETTERS = 4


class Use(StrEnum):
    """What a key was used for: the name of its note."""

    CALL = "use"
    ASK = "ask"
    REPORT = "report"  # of which something was recorded
    NOTHING = "nothing"  # a report of which nothing was


_noted: dict[tuple[int, Use], float] = {}
# Digests of keys that this process let in; no more than there are keys.
_known: set[str] = set()


def note_use(
    key_id: int | None,
    request: HttpRequest,
    *,
    digest: str,
    organization_id: int | None,
    use: Use = Use.CALL,
    event_id: str = "",
) -> None:
    """Remember that a key was used now, what for, and the client's address; at most once
    a minute a process, so that it costs nothing on the hot path. `event_id` is the first
    of what it recorded. The request keeps whose it was.
    """
    if key_id is None:
        return
    note_caller(request, organization_id=organization_id, key_id=key_id)
    _known.add(digest)
    last = _noted.get((key_id, use), -EVERY_SECONDS)
    if time.monotonic() - last < EVERY_SECONDS:
        return
    _noted[key_id, use] = time.monotonic()
    used = [timezone.now().isoformat(), client_address(request)]
    try:
        cache.set(_name(use, key_id), used, timeout=A_DAY)
        if event_id:
            # The first of all processes has it.
            cache.add(_first(key_id), event_id, timeout=A_DAY)
    except Exception:
        # Noted after the commit, so no fault of it may be answered as a failed call.
        log.exception("key_use.not_noted")


def _name(use: Use, key_id: int) -> str:
    return f"api-key-last-{use}:{key_id}"


def _first(key_id: int) -> str:
    return f"api-key-first-event:{key_id}"


def is_known(digest: str) -> bool:
    """Whether the key of that digest was good when this process last looked at it."""
    return digest in _known


def forget_key(digest: str | None) -> None:
    """It is good no more: revoked, or its time is over."""
    _known.discard(digest or "")


def forget_uses() -> None:
    """As a process that just started."""
    _noted.clear()
    _known.clear()


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What is known of a key's use: its row, and what was noted since it was written.

    Moments are UTC, of the first such call in a minute.
    """

    used_at: dt.datetime | None
    asked_at: dt.datetime | None
    reported_at: dt.datetime | None
    # A report of which nothing was recorded; within a day.
    nothing_at: dt.datetime | None
    # Of the events it reported, the first; empty for none, or for a key older than this.
    first_event_id: str


def uses_of(keys: list[ApiKey]) -> dict[int, KeyUse]:
    """How each of the keys was used, as of now."""
    notes = cache.get_many([name for key in keys for name in _names(key.pk)])
    return {key.pk: _use(key, notes) for key in keys}


def _names(key_id: int) -> list[str]:
    return [*(_name(use, key_id) for use in Use), _first(key_id)]


def _use(key: ApiKey, notes: dict[str, Any]) -> KeyUse:
    moments = {use: _moment(notes.get(_name(use, key.pk))) for use in Use}
    return KeyUse(
        used_at=_later(key.last_used_at, *moments.values()),
        asked_at=_later(key.last_asked_at, moments[Use.ASK]),
        reported_at=_later(key.last_reported_at, moments[Use.REPORT]),
        nothing_at=moments[Use.NOTHING],
        first_event_id=key.first_event_id or notes.get(_first(key.pk), ""),
    )


def _moment(note: list[str] | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(note[0]) if note else None


def _later(*moments: dt.datetime | None) -> dt.datetime | None:
    return max((moment for moment in moments if moment), default=None)


@dataclass(frozen=True, slots=True)
class RefusedKey:
    """A key that is none, and begins like one that is: when it came, and its end."""

    at: dt.datetime
    last_letters: str


def note_refused(secret: str) -> None:
    """Remember for ten minutes that this was sent as a key and is none: whoever copied
    only a part of theirs finds out. What begins like no live key leaves nothing behind.
    """
    if not secret.startswith(PREFIX) or len(secret) < PREFIX_LENGTH + LAST_LETTERS:
        return
    now, prefix = timezone.now(), secret[:PREFIX_LENGTH]
    if ApiKey.objects.live(now).filter(prefix=prefix).exists():
        came = [now.isoformat(), secret[-LAST_LETTERS:]]
        cache.set(_refused(prefix), came, timeout=REFUSED_SECONDS)


def refused_like(key: ApiKey) -> RefusedKey | None:
    """What came lately that begins like this key and was refused."""
    came = cache.get(_refused(key.prefix))
    return came and RefusedKey(dt.datetime.fromisoformat(came[0]), came[1])


def _refused(prefix: str) -> str:
    return f"api-key-refused:{prefix}"


def write_down_uses() -> int:
    """Move the noted times, addresses and first events into the keys' rows; how many
    keys changed.

    Running it twice changes nothing more.
    """
    keys = list(ApiKey.objects.filter(revoked_at=None))
    notes = cache.get_many([name for key in keys for name in _names(key.pk)])
    changed = 0
    for key in keys:
        new = _news(key, notes)
        changed += ApiKey.objects.filter(pk=key.pk).update(**new) if new else 0
    return changed


def _news(key: ApiKey, notes: dict[str, Any]) -> dict[str, Any]:
    """What is noted of a key and not in its row yet, by column."""
    use = _use(key, notes)
    known = {
        "last_used_at": use.used_at,
        "last_asked_at": use.asked_at,
        "last_reported_at": use.reported_at,
        "first_event_id": use.first_event_id,
    }
    new = {name: value for name, value in known.items() if value != getattr(key, name)}
    if "last_used_at" in new:
        new["last_used_from"] = max(_calls(key, notes))[1] or None
    return new


def _calls(key: ApiKey, notes: dict[str, Any]) -> list[tuple[dt.datetime, str]]:
    """The noted uses of a key, with the address each came from."""
    found = [notes.get(_name(use, key.pk)) for use in Use]
    return [(dt.datetime.fromisoformat(one[0]), one[1]) for one in found if one]
