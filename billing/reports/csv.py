"""A report as CSV: every row with all its sums, people who left included, as it is read;
no report is whole in memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from billing.reports.queries.groups import SUMS, group_rows
from billing.reports.queries.report import PERSON, Asked
from config.kit.csv_files import Amount, lines

MARK = "\ufeff"  # lets spreadsheets read it as UTF-8


def report_rows(organization_id: int, asked: Asked) -> Iterator[list[Any]]:
    """The heads, then the rows; people by their address."""
    keys = [asked.by, asked.then] if asked.then else [asked.by]
    found = group_rows(
        organization_id,
        start=asked.span.start,
        end=asked.span.end,
        keys=["member" if key == PERSON else key for key in keys],
        narrowed=asked.narrowed,
    )
    return _with_heads(found, keys)


def report_file(organization_id: int, asked: Asked, *, most: int) -> bytes | None:
    """The same as a file of `most` bytes at most; None where it would be larger."""
    written = bytearray(MARK.encode())
    for line in lines(report_rows(organization_id, asked)):
        written += line.encode()
        if len(written) > most:
            return None
    return bytes(written)


def _with_heads(
    found: Iterator[tuple[Any, ...]], keys: list[str]
) -> Iterator[list[Any]]:
    yield [*keys, *SUMS]
    counts = len(SUMS) - 3
    for row in found:
        groups, sums = row[: len(keys)], row[len(keys) :]
        money = [Amount(nanos) for nanos in sums[counts:]]
        yield [*map(_text, groups), *sums[:counts], *money]


def _text(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value
    return "" if value is None else str(value)
