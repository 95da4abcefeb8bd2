"""Threads that start together, each with its own database connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import connection

from tests.waiting import LONG

T = TypeVar("T")


def run_together(count: int, work: Callable[[int], T]) -> list[T]:
    """Call `work(number)` in `count` threads released at once; their answers, or the
    first error raised again.
    """
    barrier = threading.Barrier(count)
    answers: list[T | None] = [None] * count
    errors: list[BaseException] = []

    def one(number: int) -> None:
        try:
            barrier.wait(timeout=LONG)
            answers[number] = work(number)
        except BaseException as error:  # handed to the caller below
            errors.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=one, args=(number,), daemon=True)
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + LONG
    for thread in threads:
        thread.join(timeout=max(0, deadline - time.monotonic()))
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads), "some did not come back"
    return answers  # type: ignore[return-value]


def shows_in(tries: Iterable[bool]) -> bool:
    """For controls: whether one of many tries shows what the missing guard allows.

    Chance may hide it once, not always.
    """
    return any(tries)
