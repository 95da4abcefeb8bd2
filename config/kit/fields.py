"""Form fields: amounts as people type them, and keys that make a button pressed twice
act once.
"""

from __future__ import annotations

import uuid
from typing import Any

from django import forms

from config.kit.money import AmountError, parse_amount, to_decimal_text


class AmountField(forms.CharField):
    """An amount in USD as a person types it, in the reader's language; its value is
    nano-USD, None when left empty.
    """

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=60, widget=forms.TextInput(attrs=attrs), **options)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\0", "")

    def clean(self, value: Any) -> Any:
        """Nano-USD, or None for an empty optional field.

        The sentence of a refusal is `parse_amount`'s.
        """
        typed = self.to_python(value)
        if not typed and not self.required:
            return None
        self.run_validators(typed)
        try:
            return parse_amount(typed)
        except AmountError as error:
            raise forms.ValidationError(str(error), code=error.code) from error


class KeyField(forms.RegexField):
    """Names this showing of a form, so that pressing its button twice does its act once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            r"\A[0-9a-f]{32}\Z", widget=forms.HiddenInput, initial=new_key, **options
        )


def new_key() -> str:
    """A key that no other showing of a form has."""
    return uuid.uuid4().hex


def typed_amount(nanos: int | None) -> str:
    """An amount as a person would type it, to fill a field; empty for unlimited."""
    if nanos is None:
        return ""
    whole, cents = to_decimal_text(nanos, places=2).split(".")
    return f"{int(whole):,}.{cents}"
