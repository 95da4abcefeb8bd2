"""Threads that start together, each with its own database connection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

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
            barrier.wait(timeout=60)
            answers[number] = work(number)
        except BaseException as error:  # handed to the caller below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    if errors:
        raise errors[0]
    return answers  # type: ignore[return-value]
