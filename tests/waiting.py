"""Waiting for what other threads and processes do: on the condition, and as long as the
busiest machine may take.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LONG = 600.0  # seconds; only what will never happen takes longer


def wait_until(
    done: Callable[[], object], what: str, *, why: Callable[[], str] = str
) -> None:
    """Until `done()`; after LONG it fails and says `what` did not come, and `why()`."""
    deadline = time.monotonic() + LONG
    while not done():
        assert time.monotonic() < deadline, f"{what} did not come. {why()}"
        time.sleep(0.1)
