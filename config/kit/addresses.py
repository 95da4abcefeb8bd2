"""One spelling of an email address: lower case, and the domain as the wire has it.

`bob@bücher.example` and `bob@xn--bcher-kva.example` are one mailbox. The ASCII form is
the one kept: mail goes to it as it stands, and no letter in it only looks like another.
"""

from __future__ import annotations

from typing import Any

import idna
from django.db import models


def canonical_address(text: str) -> str:
    """The address as it is kept and looked up; what has no such form stays, in lower
    case, and is nobody's.
    """
    text = text.strip().lower()
    if text.isascii():
        return text
    local, at, domain = text.rpartition("@")
    try:
        return local + at + idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return text


class AddressField(models.EmailField):
    """An email address that is kept, and looked up by whole, in its one spelling."""

    def to_python(self, value: Any) -> Any:
        """As forms and models see it."""
        text = super().to_python(value)
        return canonical_address(text) if isinstance(text, str) else text

    def get_prep_value(self, value: Any) -> Any:
        """As it is written, and what `=` compares with."""
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """The row in memory says what is kept."""
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
