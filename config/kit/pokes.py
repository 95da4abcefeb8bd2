"""Messages to the worker: pokes that may be lost, since a sweep finds the same fact in
the rows.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction


def poke(task: Any, *args: Any) -> None:
    """Start a task once the transaction is committed.

    A broker that does not answer is logged and fails nobody.
    """
    transaction.on_commit(lambda: task.delay(*args), robust=True)
