"""What an API key looks like, for whoever makes one and whoever refuses what is none."""

from __future__ import annotations

import re

PREFIX = "xu_"
SECRET_BYTES = 32
# So much of its beginning is kept with a key, and shown.
PREFIX_LENGTH = len(PREFIX) + 6
_BEARER = re.compile(rf"bearer +{PREFIX}[A-Za-z0-9_-]+ *", re.ASCII | re.IGNORECASE)


def is_bearer(header: str) -> bool:
    """Whether an `Authorization` header carries something that may be a key."""
    return _BEARER.fullmatch(header) is not None
