"""Documents on paper: lays out texts that are already worded, formatted and translated
as a PDF.

Reads its own template and fonts, nothing else; never the database, the network, the
clock or the machine's fonts. Texts reach the template as data, so that no name is ever
read as markup. The same document gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from heapq import nlargest
from typing import Any
from unicodedata import east_asian_width

from django.conf import settings

from billing.documents.print.typst import typeset

TEMPLATE = settings.BASE_DIR / "templates" / "pdf" / "document.typ"
FONTS = [
    settings.BASE_DIR / "static" / "vendor" / folder
    for folder in ("inter-ttf", "noto-sans-jp")
]
UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table; a group is a heading row, such as a member's name with the
    sum in the last cell.
    """

    cells: tuple[str, ...]
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Printed:
    """A document as texts.

    The last column is right-aligned, and those in `right`; each line has a cell for
    each column.
    """

    language: str
    title: str
    number: str
    stamp: str
    headline: str
    seller: tuple[str, ...]
    buyer_label: str
    buyer: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    totals: tuple[tuple[str, str, bool], ...]
    notes: tuple[str, ...]
    right: tuple[int, ...] = ()
    page_words: str = ""
    created_at: dt.datetime | None = None


TEXTS = {one.name for one in fields(Printed)} - {
    "language",
    "lines",
    "right",
    "created_at",
}


def pdf_of(document: Printed) -> bytes:
    """The document as PDF. ValueError when a line has not one cell for each column."""
    if any(len(line.cells) != len(document.columns) for line in document.lines):
        raise ValueError("Each line needs one cell for each column.")
    # The timestamp is always given, so that the bytes never depend on the clock.
    timestamp = int(document.created_at.timestamp()) if document.created_at else 0
    return typeset(
        json.dumps(_data(document)), template=TEMPLATE, fonts=FONTS, timestamp=timestamp
    )


def _data(document: Printed) -> dict[str, object]:
    """What the template reads, all of it plain JSON."""
    return {
        **{name: _clean(getattr(document, name)) for name in TEXTS},
        "language": "ja" if document.language == "ja" else "en",
        "dated": document.created_at is not None,
        "right": document.right,
        "lines": [(line.is_group, _clean(line.cells)) for line in document.lines],
        "widest": [
            _widest(document.lines, column) for column in range(len(document.columns))
        ],
    }


def _clean(value: Any) -> Any:
    """Texts without control characters and halves of characters, which no font can
    show; line breaks stay.
    """
    if isinstance(value, str):
        return UNPRINTABLE.sub(" ", value)
    return [_clean(one) for one in value] if isinstance(value, (tuple, list)) else value


def _widest(lines: Iterable[Line], column: int) -> list[str]:
    """The texts that may be the widest of a column; measuring every text would take
    longer than the layout.
    """
    # A group's name may run over the empty cells after it, so it does not widen its column.
    texts = {
        line.cells[column]
        for line in lines
        if not line.is_group or column == len(line.cells) - 1
    }
    return [_clean(text) for text in nlargest(CANDIDATES, texts, key=_width)]


def _width(text: str) -> int:
    return (
        len(text)
        if text.isascii()
        else sum(2 if east_asian_width(one) in "WF" else 1 for one in text)
    )
