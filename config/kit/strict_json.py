"""Strict JSON in: what other parsers read in several ways is refused with one sentence.

Duplicate keys, NaN and infinities, numbers beyond 64 bits, NUL characters and half
surrogate pairs, invalid UTF-8 and nesting without end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

MAX_DEPTH = 60
INT_LIMIT = 2**63
MAX_DIGITS = 400
UNSAFE_TEXT = "A string contains a NUL character or half of a surrogate pair."
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


class InvalidJson(ValueError):
    """The body is not JSON as RFC 8259 and common sense define it; the text says why."""


def loads(body: bytes, *, judge: Callable[[Any], Any] | None = None) -> Any:
    """The value of a JSON text. Raises InvalidJson.

    With a `judge`, numbers may have any size, and what it makes of a value with unsafe
    text is returned: it raises InvalidJson, or says which part of it is not to be read.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJson(
            f"The body is not UTF-8: byte {error.start} can't be read."
        ) from None
    if not text.strip():
        raise InvalidJson("The body is empty; send a JSON object.")
    try:
        value = (_roomy_decoder if judge else _decoder).decode(text)
    except json.JSONDecodeError as error:
        raise InvalidJson(
            f"The body is not JSON: {error.msg} at character {error.pos}."
        ) from None
    except RecursionError:
        raise InvalidJson(
            f"The body is nested deeper than {MAX_DEPTH} levels."
        ) from None
    if "\\u" not in text and "\x00" not in text:
        return value
    if judge:
        return judge(value)
    refuse_unsafe(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = _repeated(name for name, _ in pairs)
        raise InvalidJson(
            f"The key “{_UNSAFE.sub('?', twice)[:60]}” appears twice in one object."
        )
    return members


def _repeated(names: Iterable[str]) -> str:
    """The first name that stands there before, found in one pass."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -INT_LIMIT <= int(digits) < INT_LIMIT:
        raise InvalidJson("A number is larger than 64 bits.")
    return int(digits)


def _any_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise InvalidJson(f"A number has more than {MAX_DIGITS} digits.")
    return int(digits)


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InvalidJson("A number is too large.")
    return number


def _constant(name: str) -> Any:
    raise InvalidJson(f"{name} is not JSON.")


def refuse_unsafe(value: Any) -> None:
    """Raises InvalidJson for unsafe text anywhere in a value."""
    if is_unsafe(value):
        raise InvalidJson(UNSAFE_TEXT)


def is_unsafe(value: Any) -> bool:
    """Whether there is text in it that no database stores: NUL and half of a surrogate
    pair, reachable by \\u escapes.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and _UNSAFE.search(one):
            return True
    return False


def without_unsafe(text: str) -> str:
    """The text without those characters."""
    return _UNSAFE.sub("", text)


_decoder = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_constant,
)
_roomy_decoder = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_any_integer,
    parse_float=float,
    parse_constant=_constant,
)
