"""Rows about which somebody outside is asked until there is an answer: a payment at its
gateway, a mail at its server.

Such a row has a moment for its next try and, mostly, a count of its tries. A queryset
names both columns and says what is unfinished; finding, claiming and putting off are
the same for all.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import F

Row = TypeVar("Row", bound=models.Model)
# After the first try without an answer, after the second, …; the last from then on.
USUAL_WAITS = (
    dt.timedelta(minutes=1),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=15),
    dt.timedelta(hours=1),
)


class RetriedQuerySet(models.QuerySet[Row]):
    """Rows that are tried again until they are finished.

    `next_try_field` names the column that says when to try next; while somebody tries,
    it is the end of their claim. `tries_field` names the count of tries; empty: nobody
    counts, and the first wait is the only one. `claim_lasts` is longer than one try may
    take, whatever the other side does.
    """

    next_try_field: ClassVar[str]
    tries_field: ClassVar[str] = ""
    claim_lasts: ClassVar[dt.timedelta]
    waits: ClassVar[tuple[dt.timedelta, ...]] = USUAL_WAITS

    def unfinished(self) -> Self:
        """Those without an answer yet."""
        raise NotImplementedError

    def due(self, now: dt.datetime) -> Self:
        """Unfinished, and nobody is trying them at `now`."""
        return self.unfinished().filter(**{f"{self.next_try_field}__lte": now})

    def claim(self, pk: int, *, now: dt.datetime) -> Row | None:
        """The row, for the caller alone to try until the claim ends; None when it is
        finished or somebody else is trying it.

        Races with every worker that found the same row due: a task runs twice, a sweep
        finds what a task was just told. Condition and change are one UPDATE, so the
        database takes them one after the other; the second finds the moment moved into
        the future, changes nothing, and has lost. No lock is held while the other side
        is asked, and a worker that dies leaves a claim that ends by itself.
        """
        changes: dict[str, Any] = {self.next_try_field: now + self.claim_lasts}
        if self.tries_field:
            changes[self.tries_field] = F(self.tries_field) + 1
        is_won = self.due(now).filter(pk=pk).update(**changes)
        return self.get(pk=pk) if is_won else None

    def retry_later(self, row: Row, *, now: dt.datetime, **changes: Any) -> None:
        """There was no answer: try again after the wait that follows this many tries.

        `changes` go to other columns, such as why. A row that was finished meanwhile,
        by a webhook, say, stays as it is.
        """
        tries = 1
        if self.tries_field:
            tries = getattr(row, self.tries_field)
        wait = self.waits[min(tries, len(self.waits)) - 1]
        changes[self.next_try_field] = now + wait
        self.unfinished().filter(pk=row.pk).update(**changes)
