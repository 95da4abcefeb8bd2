"""Acts that change what limits people, such as a seat or a plan: what apps above compare
before and after, in the same transaction and lock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from accounts.models import Organization

# Called before the change with the locked organization, the member it is about (an id;
# None: everybody) and the moment; it answers what is to be called after.
Watch = Callable[[Organization, int | None, dt.datetime], Callable[[], None]]
_WATCHES: list[Watch] = []


def watch_limits(watch: Watch) -> Watch:
    """Mark a function that looks at limits before they change; what it answers is called
    after.
    """
    if watch not in _WATCHES:
        _WATCHES.append(watch)
    return watch


@contextmanager
def limits_change(
    locked: Organization, *, membership_id: int | None = None, now: dt.datetime
) -> Iterator[None]:
    """Around a change of what limits one member, or everybody, under the organization's
    lock.
    """
    compare = [watch(locked, membership_id, now) for watch in _WATCHES]
    yield
    for finish in compare:
        finish()
