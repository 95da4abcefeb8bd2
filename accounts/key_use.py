"""When and from where an API key was last used, without a write on each call: noted in
the cache, written down by a job. And which keys were good a moment ago.
"""

from __future__ import annotations

import datetime as dt
import time

import structlog
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import ApiKey
from config.kit.http import client_address, note_caller

log = structlog.get_logger(__name__)
EVERY_SECONDS = 60
_noted: dict[int, float] = {}
# Digests of keys that this process let in; no more than there are keys.
_known: set[str] = set()


def note_use(
    key_id: int | None,
    request: HttpRequest,
    *,
    digest: str,
    organization_id: int | None,
) -> None:
    """Remember that a key was used now, and the client's address; at most once a minute
    a process, so that it costs nothing on the hot path. The request keeps whose it was.
    """
    if key_id is None:
        return
    note_caller(request, organization_id=organization_id, key_id=key_id)
    _known.add(digest)
    if time.monotonic() - _noted.get(key_id, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    _noted[key_id] = time.monotonic()
    used = [timezone.now().isoformat(), client_address(request)]
    try:
        cache.set(f"api-key-last-use:{key_id}", used, timeout=24 * 3600)
    except Exception:
        # Noted after the commit, so no fault of it may be answered as a failed call.
        log.exception("key_use.not_noted")


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


def write_down_uses() -> int:
    """Move the noted times and addresses into the keys' rows; how many changed.

    Running it twice changes nothing more.
    """
    names = {
        f"api-key-last-use:{pk}": pk
        for pk in ApiKey.objects.filter(revoked_at=None).values_list("pk", flat=True)
    }
    changed = 0
    for name, used in cache.get_many(names).items():
        moment, address = dt.datetime.fromisoformat(used[0]), used[1] or None
        rows = ApiKey.objects.filter(pk=names[name]).exclude(last_used_at__gte=moment)
        changed += rows.update(last_used_at=moment, last_used_from=address)
    return changed
