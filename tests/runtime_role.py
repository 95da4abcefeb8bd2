"""Runs what a test does as the role that serves: no owner of tables, no superuser."""

from __future__ import annotations

import os

from django.db import connection

from config.runtime_role import quoted, statements


def serve_as_runtime_role() -> None:
    """From here to the end of this test's transaction, which takes the role back too."""
    assert connection.in_atomic_block, "only in a test that is taken back"
    role = f"runtime_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} NOLOGIN")
        for statement in statements(role):
            cursor.execute(statement)
        cursor.execute(f"SET ROLE {quoted(role)}")
