"""Lays out as a PDF what is already worded, formatted and translated.

Reads its own template and the fonts of `print.fonts`, nothing else; never the database,
the network, the clock or the machine's fonts. Texts reach the template as data, so that
no name is ever read as markup. The same document gives the same bytes.
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

from billing.documents.print.fonts import font_folders
from billing.documents.print.typst import BeyondBounds, typeset
from config.kit.one_line import isolated

TEMPLATE = settings.BASE_DIR / "templates" / "pdf" / "document.typ"
UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Marks that turn what follows; U+2068 and U+2069 are ours, and keep a text to itself.
TURNING = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066\u2067]")
CANDIDATES = 3
# Far more than any document of ours has; the last guard before the bounds of a process.
MOST_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table.

    A group is a heading row, such as a member's name with the sum in the last cell.
    """

    cells: tuple[str, ...]
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class PrintedDocument:
    """A document as texts.

    Each line has a cell for each column. The last column is right-aligned, and so are
    those in `right` (by index). `facts` are labels and texts; `totals` are a label, an
    amount, and whether the row stands out.
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


TEXTS = {field.name for field in fields(PrintedDocument)} - {
    "language",
    "lines",
    "right",
    "created_at",
}


def pdf_of(document: PrintedDocument) -> bytes:
    """The document as PDF.

    Raises ValueError when a line has not one cell for each column, BeyondBounds for more
    than MOST_LINES, and what `typeset` raises.
    """
    if any(len(line.cells) != len(document.columns) for line in document.lines):
        raise ValueError("Each line needs one cell for each column.")
    if len(document.lines) > MOST_LINES:
        raise BeyondBounds(f"{len(document.lines):,} lines")
    # The timestamp is always given, so that the bytes never depend on the clock.
    timestamp = int(document.created_at.timestamp()) if document.created_at else 0
    return typeset(
        texts_of(document),
        template=TEMPLATE,
        fonts=font_folders(),
        timestamp=timestamp,
    )


def texts_of(document: PrintedDocument) -> str:
    """All that is printed, as the template reads it."""
    return json.dumps(_data(document))


def _data(document: PrintedDocument) -> dict[str, object]:
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
    """Texts without control characters and halves of characters, which no font can show,
    and without marks that turn what follows; line breaks stay. What is read from right to
    left is kept to itself.
    """
    if isinstance(value, str):
        return isolated(TURNING.sub("", UNPRINTABLE.sub(" ", value)))
    if isinstance(value, (tuple, list)):
        return [_clean(item) for item in value]
    return value


def _widest(lines: Iterable[Line], column: int) -> list[str]:
    """The texts that may be the widest of a column.

    The template measures only these: measuring all would take longer than the layout.
    """
    # A group's name may run over the empty cells after it, so it does not widen its column.
    texts = {
        line.cells[column]
        for line in lines
        if not line.is_group or column == len(line.cells) - 1
    }
    return [_clean(text) for text in nlargest(CANDIDATES, texts, key=_width)]


def _width(text: str) -> int:
    """About how wide a text is, in Latin letters; a kanji is as wide as two."""
    if text.isascii():
        return len(text)
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide
