"""Ids of rows as they come in addresses and forms."""

from __future__ import annotations

# Of an id that fits in 64 bits.
MOST_DIGITS = 18


def is_row_id(text: str) -> bool:
    """Whether a text can be the id of a row: digits, and no more than a column holds."""
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
