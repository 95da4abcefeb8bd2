"""Connections whose waits end: each keeps to `kit.waits` of the thread that uses it.

A lock and a statement are ended by the server, which takes the transaction back whole. A
server that says nothing at all (its machine is gone, or stands still) is left after a
while: the connection closes, and what was sent may or may not have been done.

Behind a pooler (`DATABASE_POOL_MODE`) nothing is told to the session at its start, which
PgBouncer refuses: by `session` it is told right after, by `transaction`, where each
transaction may be in another session, at the start of each.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql import base
from psycopg.connection import _WAIT_INTERVAL

from config.kit.waits import Waits, silence, waits_now


class Connection(psycopg.Connection[Any]):
    """psycopg's own, that stops listening to a silent server."""

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Generator[Any, Any, Any]:
        """psycopg's own time-out of a connection is two seconds at the least, which is
        more than a check may take. Raises ConnectionTimeout.
        """
        patience = waits_now().silence
        deadline = time.monotonic() + patience if patience else math.inf
        connecting = super()._connect_gen(conninfo)
        try:
            awaited = next(connecting)
            while True:
                ready = yield awaited
                if not ready and time.monotonic() >= deadline:
                    raise psycopg.errors.ConnectionTimeout("The database is silent.")
                awaited = connecting.send(ready)
        except StopIteration as done:
            return done.value

    def wait(
        self, gen: Any, interval: Any = _WAIT_INTERVAL, timeout: Any = None
    ) -> Any:
        """Raises OperationalError after the silence that the thread's waits allow."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        patience = waits_now().silence or None
        try:
            answer = super().wait(gen, interval, patience)
        except psycopg.errors._WaitTimeout as error:
            silence.note()
            self.pgconn.finish()
            raise psycopg.OperationalError("The database is silent.") from error
        silence.over()
        return answer


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, whose session has the time-outs of the thread that uses it."""

    Database: Any = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})
    _kept: Waits | None = None

    def get_connection_params(self) -> dict[str, Any]:
        """With the time-outs among the parameters that the session starts with."""
        params: dict[str, Any] = super().get_connection_params()
        self._kept = waits_now()
        if settings.DATABASE_POOL_MODE:
            return params
        chosen = {**settings.DATABASE_SESSION, **self._kept.parameters}
        words = [f"-c {key}={value}" for key, value in chosen.items()]
        params["options"] = " ".join([*words, params.get("options", "")]).strip()
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Notes a server that lets nobody in and says nothing."""
        try:
            connection = super().get_new_connection(conn_params)
        except psycopg.errors.ConnectionTimeout:
            silence.note()
            raise
        if settings.DATABASE_POOL_MODE == "session":
            assert self._kept is not None
            connection.autocommit = True  # or this would begin a transaction
            chosen = {**settings.DATABASE_SESSION, **self._kept.parameters}
            _set(connection, chosen, local=False)
        return connection

    def _set_autocommit(self, autocommit: bool) -> None:
        """By transaction: here one begins, and its time-outs are its own."""
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        if not autocommit and settings.DATABASE_POOL_MODE == "transaction":
            _set(self.connection, waits_now().parameters, local=True)

    def ensure_connection(self) -> None:
        """Guarantee a connection with the time-outs of this thread, as they are now.

        Inside a transaction they stay.
        """
        waits = waits_now()
        if self.connection is not None and self._is_other(waits):
            self.close_if_health_check_failed()
        super().ensure_connection()
        if self._is_other(waits):
            with self.wrap_database_errors:
                self._wait_as(waits)

    def close_if_health_check_failed(self) -> None:
        """Raises OperationalError where the server was silent: connecting anew would
        only wait once more.
        """
        had_one = self.connection is not None
        super().close_if_health_check_failed()
        if had_one and self.connection is None and silence.is_known:
            raise OperationalError("The database is silent.")

    def _is_other(self, waits: Waits) -> bool:
        kept = self._kept or Waits()
        if settings.DATABASE_POOL_MODE == "transaction":
            return False
        if kept is waits or self.in_atomic_block or not self.autocommit:
            return False
        return kept.parameters != waits.parameters

    def _wait_as(self, waits: Waits) -> None:
        _set(self.connection, waits.parameters, local=False)
        self._kept = waits


def _set(connection: Any, parameters: dict[str, str], *, local: bool) -> None:
    """Tell the server its parameters: for this transaction, or for the session."""
    sql = ", ".join([f"set_config(%s, %s, {local})"] * len(parameters))
    named = [word for pair in parameters.items() for word in pair]
    psycopg.Cursor(connection).execute(f"SELECT {sql}", named)
