"""Strict JSON in: what other parsers read in several ways is refused with one sentence.

Duplicate keys, NaN and infinities, numbers beyond 64 bits, NUL characters and half
surrogate pairs, invalid UTF-8 and nesting without end.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 60
INT_LIMIT = 2**63
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


class InvalidJson(ValueError):
    """The body is not JSON as RFC 8259 and common sense define it; the text says why."""


def loads(body: bytes) -> Any:
    """The value of a JSON text. Raises InvalidJson."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJson(
            f"The body is not UTF-8: byte {error.start} can't be read."
        ) from None
    if not text.strip():
        raise InvalidJson("The body is empty; send a JSON object.")
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidJson(
            f"The body is not JSON: {error.msg} at character {error.pos}."
        ) from None
    except RecursionError:
        raise InvalidJson(
            f"The body is nested deeper than {MAX_DEPTH} levels."
        ) from None
    if "\\u" in text or "\x00" in text:
        _refuse_unsafe(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidJson(
            f"The key “{_UNSAFE.sub('?', twice)[:60]}” appears twice in one object."
        )
    return members


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -INT_LIMIT <= int(digits) < INT_LIMIT:
        raise InvalidJson("A number is larger than 64 bits.")
    return int(digits)


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InvalidJson("A number is too large.")
    return number


def _constant(name: str) -> Any:
    raise InvalidJson(f"{name} is not JSON.")


def _refuse_unsafe(value: Any) -> None:
    """Text that no database stores: NUL and half of a surrogate pair, reachable by \\u
    escapes.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and _UNSAFE.search(one):
            raise InvalidJson(
                "A string contains a NUL character or half of a surrogate pair."
            )


_decoder = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_constant,
)
