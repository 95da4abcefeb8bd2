"""What `docs/operations/recovery.md` promises: after how many seconds the service is
whole again, once what failed may come back.

The document's table has the same rows; `test_promises.py` compares them.
"""

from __future__ import annotations

PROMISES: dict[str, float] = {
    "a web worker is killed": 1,
    "the main web process is killed": 10,
    "a web worker stands still": 1,
    "the main web process stands still": 1,
    "a child of the worker is killed": 5,
    "the main worker process is killed": 15,
    "a child of the worker stands still": 1,
    "the main worker process stands still": 1,
    "beat is killed": 60,
    "beat stands still": 45,
    "Redis is killed": 2,
    "Redis stands still": 2,
    "PostgreSQL restarts": 3,
    "PostgreSQL stands still": 3,
    "a backend of PostgreSQL is killed": 3,
    "a backend of PostgreSQL stands still": 1,
    "all sessions are terminated": 1,
}
