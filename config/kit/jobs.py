"""Jobs: messages that may be lost, and sweeps that find the same fact in the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog
from celery.exceptions import OperationalError
from django.db import transaction
from redis import RedisError

from config.kit.queue import is_full
from config.kit.redis import AwayFor

# How long a message about one row is worth something, in seconds: later a sweep has
# found the row long ago, and the message would only stand before fresh ones.
MESSAGE_LASTS = 300
T = TypeVar("T")
R = TypeVar("R")
log = structlog.get_logger(__name__)
# What one sweep takes up at most; the next finds the rest.
SWEEP_LIMIT = 1_000


_broker_away = AwayFor(seconds=5)


def enqueue(task: Any, *args: Any) -> None:
    """Start a task once the transaction is committed: the one way for whoever answers a
    person or a program.

    What was committed is never answered as a failure for it: a broker that does not
    answer is logged and left alone for some seconds, and a sweep finds the row. The
    message expires after MESSAGE_LASTS, and is not sent while enough are waiting.
    """
    transaction.on_commit(lambda: _send(task, args), robust=True)


def enqueue_now(task: Any, *args: Any) -> None:
    """Start a task from a sweep, which finds the row again if the message is lost, expires
    or is not sent because enough are waiting. Raises what the broker raises.
    """
    if is_eager(task) or not is_full():
        task.apply_async(args, expires=MESSAGE_LASTS)


def is_eager(task: Any) -> bool:
    """Whether tasks run where they are called, as in tests, without a queue."""
    return bool(task.app.conf.task_always_eager)


def _send(task: Any, args: tuple[Any, ...]) -> None:
    if _broker_away:
        return
    try:
        if is_eager(task) or not is_full():
            task.apply_async(args, retry=False, expires=MESSAGE_LASTS)
    except (OperationalError, RedisError, OSError) as error:
        _broker_away.note(error)


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
