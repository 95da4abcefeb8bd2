"""What every CSV shares."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Echo:
    """A file that hands back each line, for streaming."""

    def write(self, value: str) -> str:
        """The line itself."""
        return value


def plain(cell: str) -> str:
    """A cell no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def streamed(rows: Iterable[list[Any]], *, name: str) -> StreamingHttpResponse:
    """Rows, heads first, as a file to save; a mark lets spreadsheets read it as UTF-8."""
    response = StreamingHttpResponse(
        _lines(rows), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _lines(rows: Iterable[list[Any]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    for number, row in enumerate(rows):
        yield ("" if number else "\ufeff") + str(writer.writerow(row))
