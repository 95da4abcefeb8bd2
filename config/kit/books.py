"""What the proof of the books finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One kept amount that does not equal what is behind it."""

    table: str
    row: str
    column: str
    kept: int
    proven: int

    def __str__(self) -> str:
        return (
            f"{self.table} [{self.row}] {self.column}: kept {self.kept:,}, the events"
            f" say {self.proven:,} (off by {self.kept - self.proven:,})"
        )
