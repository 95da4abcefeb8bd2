"""Words for codes that tables keep as plain text: what a kind of mail, a reason or a
gateway is called. The app that owns a column names its codes when it starts; lists,
filters, rows and files of operators read them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models

Wording = Callable[[str], str]

_WORDINGS: dict[str, Wording] = {}


def name_codes(column: str, wording: Wording) -> None:
    """Let `wording` put the codes of a column, such as `accounts.OutgoingMail.kind`, in
    words of the active language; a code it does not know is its own word.
    """
    _WORDINGS[column.lower()] = wording


def wording_of(field: models.Field[Any, Any]) -> Wording | None:
    """How the codes of a column read; None where it holds none."""
    return _WORDINGS.get(f"{field.model._meta.label}.{field.name}".lower())
