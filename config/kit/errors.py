"""Business errors: a code for machines, a sentence for people, an HTTP status.

Doors turn them into pages or problems.
"""

from __future__ import annotations

from typing import Any


class BusinessError(Exception):
    """A rule says no.

    The sentence tells what, by how much and what to do next; `status` 422 is for
    malformed input.
    """

    code = "business_error"
    status = 409

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        field: str | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status
        self.field = field
        self.facts = facts

    def __str__(self) -> str:
        return str(self.message)
