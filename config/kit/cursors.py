"""Where a list goes on: the keys of its last row, as one opaque word."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from config.kit.errors import BusinessError
from config.kit.strict_json import InvalidJson, loads


def cursor_of(keys: Sequence[object]) -> str:
    """The cursor behind a row with these keys: texts, or what is written as one."""
    text = json.dumps([str(key) for key in keys], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def keys_of(cursor: str, *, count: int) -> list[str]:
    """The keys in a cursor. Raises BusinessError (422) where it is not one of `count`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        keys = loads(raw)
    except (ValueError, InvalidJson):
        keys = None
    is_one = isinstance(keys, list) and len(keys) == count
    if not is_one or not all(isinstance(key, str) for key in keys):
        raise bad_cursor()
    return list(keys)


def bad_cursor() -> BusinessError:
    """What is said of a cursor that no page of the list gave."""
    return BusinessError(
        "The cursor is not one of this list; begin without one.",
        code="bad_cursor",
        status=422,
        field="cursor",
    )
