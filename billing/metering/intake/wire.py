"""How much a body holds, told before it is parsed: two bytes of it may become an object
of hundreds. Pure.
"""

from __future__ import annotations

from typing import Any

from billing.metering.intake.packed import TooMuch

MOST_RECORDS = 20_000
MOST_FIELDS = 2_000_000  # of all messages; 20,000 records of Claude Code have fewer
TOO_MANY_RECORDS = f"Send at most {MOST_RECORDS:,} records at once."
TOO_MANY_FIELDS = (
    f"The body has more than {MOST_FIELDS:,} fields. Send fewer records at once."
)
# What JSON may hold before it is read: a `{}` becomes two hundred times as many bytes.
MOST_PARTS, MOST_COMMAS, MOST_QUOTES = 1_500_000, 4_000_000, 8_000_000
TOO_MANY_PARTS = (
    f"The body has more than {MOST_PARTS:,} objects and lists, or as many values."
    " Send fewer records at once."
)
# Deeper than the parser goes, longer than it takes a number to be: it will say so.
DEEPEST, LONGEST = 200, 10
_VARINT, _FIXED64, _BYTES, _GROUP, _GROUP_END, _FIXED32 = range(6)

# By the tags of a message's fields that are messages: the same of those.
Shape = dict[int, Any]
_NOTHING: Shape = {}


def shape_of(descriptor: Any, known: dict[str, Shape]) -> Shape:
    """Which fields of a message are messages. `known` takes all that are met, by name."""
    name = descriptor.full_name
    if name not in known:
        shape = known[name] = {}
        for field in descriptor.fields:
            if field.message_type is not None:
                tag = field.number << 3 | _BYTES
                shape[tag] = shape_of(field.message_type, known)
    return known[name]


def check_wire(body: bytes, shape: Shape, record: Shape) -> None:
    """Raises TooMuch for more records or fields than are read, at the first too many.

    Says nothing of a malformed body: it looks no further, and the parser, which fails at
    the same place, tells.
    """
    try:
        _walk(body, shape, record)
    except (IndexError, _Malformed):
        return


def check_json(body: bytes) -> None:
    """Raises TooMuch. Marks inside of texts count too; there are fewer of them."""
    parts = body.count(b"{") + body.count(b"[")
    quotes, commas = body.count(b'"'), body.count(b",")
    if parts > MOST_PARTS or quotes > MOST_QUOTES or commas > MOST_COMMAS:
        raise TooMuch(TOO_MANY_PARTS)


class _Malformed(ValueError):
    """What no parser reads either."""


def _walk(body: bytes, inside: Shape, record: Shape) -> None:
    at, end, fields, records = 0, len(body), 0, 0
    above: list[tuple[int, Shape]] = []
    while True:
        while at >= end:
            if not above:
                return
            end, inside = above.pop()
        fields += 1
        if fields > MOST_FIELDS:
            raise TooMuch(TOO_MANY_FIELDS)
        tag = body[at]
        at += 1
        if tag > 0x7F:
            tag, at = _number(body, at - 1)
        kind = tag & 7
        if kind == _BYTES:
            length = body[at]
            at += 1
            if length > 0x7F:
                length, at = _number(body, at - 1)
            if length > end - at:
                raise _Malformed
            inner = inside.get(tag)
            if inner is None:
                at += length
                continue
            if inner is record:
                records += 1
                if records > MOST_RECORDS:
                    raise TooMuch(TOO_MANY_RECORDS)
            above.append((end, inside))
            end, inside = at + length, inner
        elif kind == _GROUP:  # of no message here: nothing in it is known
            above.append((end, inside))
            inside = _NOTHING
        elif kind == _GROUP_END:
            if not above or inside is not _NOTHING:
                raise _Malformed
            end, inside = above.pop()
        else:
            at = _behind(body, at, kind)
        if len(above) > DEEPEST:
            raise _Malformed


def _behind(body: bytes, at: int, kind: int) -> int:
    """Where a number ends."""
    if kind == _VARINT:
        return at + 1 if body[at] <= 0x7F else _number(body, at)[1]
    if kind == _FIXED64:
        return at + 8
    if kind == _FIXED32:
        return at + 4
    raise _Malformed


def _number(body: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for place in range(LONGEST):
        byte = body[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte <= 0x7F:
            return value, at + place + 1
    raise _Malformed
