"""When an API key was last used, without a write on each call: noted in the cache,
written down by a job.
"""

from __future__ import annotations

import datetime as dt
import time

from django.core.cache import cache
from django.utils import timezone

from accounts.models import ApiKey

EVERY_SECONDS = 60
_noted: dict[int, float] = {}


def note_use(key_id: int | None) -> None:
    """Remember that a key was used now; at most once a minute a process, so that it
    costs nothing on the hot path.
    """
    if (
        key_id is None
        or time.monotonic() - _noted.get(key_id, -EVERY_SECONDS) < EVERY_SECONDS
    ):
        return
    _noted[key_id] = time.monotonic()
    cache.set(f"api-key-used:{key_id}", timezone.now().isoformat(), timeout=24 * 3600)


def write_down_uses() -> int:
    """Move the noted times into the keys' rows; how many changed.

    Running it twice changes nothing more.
    """
    names = {
        f"api-key-used:{pk}": pk
        for pk in ApiKey.objects.filter(revoked_at=None).values_list("pk", flat=True)
    }
    changed = 0
    for name, used in cache.get_many(names).items():
        moment = dt.datetime.fromisoformat(used)
        rows = ApiKey.objects.filter(pk=names[name]).exclude(last_used_at__gte=moment)
        changed += rows.update(last_used_at=moment)
    return changed
