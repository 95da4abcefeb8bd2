"""What every CSV shares: how a cell is written, and how rows become a file.

Texts are guarded here and nowhere else, so no door can forget it; amounts are `Amount`s
and stay numbers, below zero as well.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from unicodedata import category, normalize

from django.http import StreamingHttpResponse

from config.kit.money import to_decimal_text

FORMULA_STARTS = ("=", "+", "-", "@")
# At a text's start some spreadsheets read on behind these, and run what follows.
COMMAND_BREAKS = ("\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Amount:
    """Nano-USD as a number of USD: exact to nine places, or with `places=2` in cents."""

    nanos: int
    places: int = 9

    def __str__(self) -> str:
        return to_decimal_text(self.nanos, places=self.places)


class Echo:
    """A file that hands back each line, for streaming."""

    def write(self, value: str) -> str:
        """The line itself."""
        return value


def plain(cell: str) -> str:
    """A text no spreadsheet takes for a formula: an apostrophe before what it would run.

    Spreadsheets pass over leading white space and what can't be seen, and read the
    full-width signs of East Asian keyboards like the ASCII ones.
    """
    if cell.startswith(COMMAND_BREAKS):
        return f"'{cell}"
    seen = next((sign for sign in cell if not _is_passed_over(sign)), "")
    return f"'{cell}" if normalize("NFKC", seen) in FORMULA_STARTS else cell


def _is_passed_over(sign: str) -> bool:
    """White space, and characters without a width: controls, marks of direction, joiners."""
    return sign.isspace() or category(sign) in ("Cc", "Cf")


def streamed(rows: Iterable[list[Any]], *, name: str) -> StreamingHttpResponse:
    """Rows, heads first, as a file to save; a mark lets spreadsheets read it as UTF-8."""
    response = StreamingHttpResponse(
        _marked(lines(rows)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def lines(rows: Iterable[list[Any]]) -> Iterator[str]:
    """Rows as lines of CSV: texts guarded, instants and days in ISO 8601, numbers bare."""
    writer = csv.writer(Echo())
    for row in rows:
        yield str(writer.writerow([_cell(value) for value in row]))


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def _marked(written: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(written):
        yield line if number else f"\ufeff{line}"
