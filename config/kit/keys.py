"""What an API key looks like, for whoever makes one and whoever refuses what is none."""

from __future__ import annotations

import re

PREFIX = "xu_"
SECRET_BYTES = 32
# So much of its beginning is kept with a key, and shown.
PREFIX_LENGTH = len(PREFIX) + 6
_KEY = rf"{PREFIX}[A-Za-z0-9_-]+"
_BEARER = re.compile(rf"bearer +{_KEY} *", re.ASCII | re.IGNORECASE)
_BARE = re.compile(_KEY, re.ASCII)


def is_bearer(header: str) -> bool:
    """Whether an `Authorization` header carries something that may be a key."""
    return _BEARER.fullmatch(header) is not None


def is_bare(header: str) -> bool:
    """Whether a header of our own carries something that may be a key, and that alone."""
    return _BARE.fullmatch(header) is not None
