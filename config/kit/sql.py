"""Hot-path SQL on both databases: prepared on PostgreSQL, and whole row sets passed as
one JSON parameter.

Statements here are written once with `%s` places and sent as they are; nothing a person
typed ever becomes SQL text.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from django.db import OperationalError, connection

from config.kit.waits import silence

Row = tuple[Any, ...]


def is_postgresql() -> bool:
    """Whether the default database is PostgreSQL."""
    return connection.vendor == "postgresql"


class Result:
    """What a statement answers; read after the pipeline has room to run on."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def rows(self) -> list[Row]:
        """All rows."""
        with connection.wrap_database_errors:
            return list(self._cursor.fetchall())


def run(sql: str, params: Sequence[Any] = (), *, prepared: bool = True) -> Result:
    """Send one statement.

    On PostgreSQL it is prepared once a connection, which saves planning a wide join
    each time.

    Not for statements over many rows: their plan must follow the tables as they grow.
    """
    if not is_postgresql():
        cursor = connection.cursor()
        cursor.execute(sql, params)
        return Result(cursor)
    import psycopg

    connection.ensure_connection()
    if connection.queries_logged:
        connection.queries_log.append({"sql": sql, "time": "0.000"})
    raw = connection.connection
    with connection.wrap_database_errors:
        return Result(psycopg.Cursor(raw).execute(sql, params, prepare=prepared))


def read(sql: str, params: Sequence[Any] = (), *, prepared: bool = True) -> Result:
    """`run` of a statement that only reads.

    A kept connection that broke while nobody used it, as at a restart of the database,
    is replaced and asked once more: outside a transaction nothing else hangs on it.
    """
    try:
        return run(sql, params, prepared=prepared)
    except OperationalError:
        if connection.in_atomic_block or not _is_broken() or silence.is_known:
            raise
    connection.close()
    return run(sql, params, prepared=prepared)


def _is_broken() -> bool:
    """Whether the connection itself is gone, rather than the statement refused."""
    return is_postgresql() and bool(
        connection.connection and connection.connection.closed
    )


def run_together(statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
    """Several writes, each to a table of its own, in no order: one statement on
    PostgreSQL, which spares the overhead of the others; one after the other
    elsewhere.
    """
    if not is_postgresql():
        for sql, params in statements:
            run(sql, params)
        return
    run(
        _as_one(tuple(sql for sql, _params in statements)),
        [one for _sql, params in statements for one in params],
    )


@lru_cache(maxsize=64)
def _as_one(statements: tuple[str, ...]) -> str:
    *first, last = statements
    named = ", ".join(f"w{number} AS ({sql})" for number, sql in enumerate(first))
    return f"WITH {named} {last}" if named else last


def refresh_statistics() -> None:
    """Let PostgreSQL count its tables anew, inside the transaction too: after a bulk
    load plans made for empty tables are twice as slow.
    """
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


@contextmanager
def pipeline() -> Iterator[None]:
    """Send the statements inside without waiting for each answer (PostgreSQL's pipeline
    mode); elsewhere nothing.
    """
    if not is_postgresql():
        yield
        return
    # Django checks a kept connection's health at its first use; inside the pipeline
    # that would start a transaction.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def hear_refusals() -> None:
    """Inside a caller's transaction: raise now what the pipeline's statements met, while
    the savepoint they stand behind can still be taken back.

    The outermost transaction hears it at its commit, without an exchange more.
    """
    if not is_postgresql() or not connection.savepoint_ids:
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        pass  # leaving an inner pipeline waits for all answers


def hear_the_rest() -> None:
    """After a refusal that was met while more was being sent: read what is left of the
    pipeline, else the savepoint it stands behind can't be taken back.
    """
    if not is_postgresql() or not connection.savepoint_ids:
        return
    import psycopg

    with suppress(psycopg.Error), connection.connection.pipeline():
        pass


def rowset(columns: dict[str, str]) -> str:
    """A table `r` of the rows in one JSON array parameter; `columns` gives each name
    its PostgreSQL type.
    """
    if is_postgresql():
        return (
            "json_to_recordset(%s::json) AS r("
            + ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            + ")"
        )
    picked = ", ".join(
        f"json_extract(value, '$.{name}') AS \"{name}\"" for name in columns
    )
    return f"(SELECT {picked} FROM json_each(%s)) AS r"


def rows_json(rows: Sequence[dict[str, Any]]) -> str:
    """The parameter of `rowset`."""
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False)


def db_time(moment: dt.datetime) -> str:
    """An instant as text the database stores like Django itself does."""
    return time_as_text(is_postgresql())(moment)


def time_as_text(postgresql: bool) -> Callable[[dt.datetime], str]:
    """`db_time` for whoever has many: the question which database it is, asked once."""
    return _with_offset if postgresql else _without_offset


def _with_offset(moment: dt.datetime) -> str:
    return str(moment.astimezone(dt.UTC))


def _without_offset(moment: dt.datetime) -> str:
    return str(moment.astimezone(dt.UTC).replace(tzinfo=None))


def as_time(value: Any) -> dt.datetime | None:
    """A time out of a raw row as an aware instant: SQLite answers naive UTC, or text
    where no column is named.
    """
    if value is None:
        return None
    moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def as_date(value: Any) -> dt.date | None:
    """A date out of a raw row: SQLite answers text."""
    return (
        value
        if value is None or isinstance(value, dt.date)
        else dt.date.fromisoformat(value)
    )


def as_text(value: Any) -> str:
    """A JSON column of a raw row as text: PostgreSQL answers it parsed, SQLite as it stands."""
    return value if isinstance(value, str) else json.dumps(value)


def in_list(column: str, kind: str) -> str:
    """`column` is one of a list passed by `list_param`."""
    if is_postgresql():
        return f"{column} = ANY(%s::{kind}[])"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def half_even_sql(expression: str, divisor: int) -> str:
    """SQL of `expression / divisor` rounded half-even, for a value of at least zero;
    goes with parameters (`%%`).
    """
    quotient, rest = f"({expression} / {divisor})", f"({expression} %% {divisor})"
    return (
        f"({quotient} + CASE WHEN 2 * {rest} > {divisor} OR (2 * {rest} = {divisor} AND"
        f" {quotient} %% 2 = 1) THEN 1 ELSE 0 END)"
    )


def like_pattern(text: str) -> str:
    """A pattern for `LIKE … ESCAPE '!'` of what contains `text` as it stands."""
    escaped = text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"


def list_param(values: Sequence[Any]) -> Any:
    """The parameter of `in_list`."""
    return list(values) if is_postgresql() else json.dumps(list(values))


__all__ = [
    "Result",
    "Row",
    "as_date",
    "as_text",
    "as_time",
    "db_time",
    "half_even_sql",
    "hear_refusals",
    "hear_the_rest",
    "in_list",
    "is_postgresql",
    "like_pattern",
    "list_param",
    "pipeline",
    "read",
    "refresh_statistics",
    "rows_json",
    "rowset",
    "run",
    "run_together",
    "time_as_text",
]
