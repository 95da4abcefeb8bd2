"""How values lie in the shared cache: as JSON.

Django's own way is pickle, which runs what it reads, so that whoever can write to Redis
could run code in the web process. Whole numbers lie bare, for `incr`.
"""

from __future__ import annotations

import json
from typing import Any


class JsonSerializer:
    """For `OPTIONS` of Django's Redis cache."""

    def dumps(self, value: Any) -> int | str:
        """What Redis keeps. Raises TypeError for what JSON does not have."""
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: bytes) -> Any:
        """The value; tuples come back as lists. Raises ValueError for anything else."""
        return json.loads(data)
