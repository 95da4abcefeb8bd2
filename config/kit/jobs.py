"""Jobs: messages that may be lost, and sweeps that find the same fact in the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog
from django.db import transaction

T = TypeVar("T")
R = TypeVar("R")
log = structlog.get_logger(__name__)
# What one sweep takes up at most; the next finds the rest.
SWEEP_LIMIT = 1_000


def enqueue(task: Any, *args: Any) -> None:
    """Start a task once the transaction is committed.

    A broker that does not answer is logged and fails nobody.
    """
    transaction.on_commit(lambda: task.delay(*args), robust=True)


def for_each(things: Iterable[T], act: Callable[[T], R], *, failed: str) -> list[R]:
    """`act` for every thing, none stopped by another's fault; what `act` gave for each.

    What fails is logged as `failed` and comes again with the next sweep.
    """
    results = []
    for thing in things:
        try:
            results.append(act(thing))
        except Exception:
            log.exception(failed, about=getattr(thing, "pk", thing))
    return results
