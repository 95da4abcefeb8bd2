"""What every sweep does: one act for each thing that is due, none stopped by another's
fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

T = TypeVar("T")
R = TypeVar("R")
log = structlog.get_logger(__name__)


def each(things: Iterable[T], act: Callable[[T], R], *, failed: str) -> list[R]:
    """`act` for every thing; what fails for one is logged as `failed`, comes again with
    the next sweep, and stops no other.
    """
    done = []
    for one in things:
        try:
            done.append(act(one))
        except Exception:
            log.exception(failed, about=getattr(one, "pk", one))
    return done
