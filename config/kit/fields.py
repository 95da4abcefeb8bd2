"""Forms: how their fields are rendered, amounts as people type them, keys that make a
button pressed twice act once, and what a rule refuses.
"""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import Any, cast

from django import forms
from django.forms.renderers import TemplatesSetting
from django.http import QueryDict

from config.kit.errors import BusinessError
from config.kit.money import (
    MAX_AMOUNT_NANOS,
    AmountError,
    parse_amount,
    to_decimal_text,
)


class BoundField(forms.BoundField):
    """A field as `shared/_form_field.html` shows it: knows the id of its errors."""

    @property
    def error_id(self) -> str:
        """The id that `aria-describedby` names, as Django makes it."""
        return f"{self.auto_id}_error"


class FormRenderer(TemplatesSetting):
    """Our field template, found with our widgets' where all templates are."""

    field_template_name = "shared/_form_field.html"
    bound_field_class = BoundField


class MoneyInput(forms.TextInput):
    """An amount behind its dollar sign, before its unit (`USD per month`)."""

    template_name = "shared/_money_input.html"

    def __init__(self, *, unit: Any = "", is_small: bool = False) -> None:
        super().__init__(
            {"inputmode": "decimal", "autocomplete": "off", "spellcheck": "false"}
        )
        self.unit = unit
        self.is_small = is_small

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """The unit with its id, so that it is read with the input."""
        context = super().get_context(name, value, attrs)
        context["widget"] |= {"unit": self.unit, "is_small": self.is_small}
        context["widget"]["unit_id"] = unit_id(context["widget"]["attrs"].get("id", ""))
        return context


def unit_id(input_id: str) -> str:
    """The id of the unit beside an input."""
    return f"{input_id.removeprefix('id_')}-unit"


class BoundAmount(BoundField):
    """An amount's input is described by its unit, its help and its errors."""

    @property
    def error_id(self) -> str:
        return f"{self.auto_id.removeprefix('id_')}-error"

    @property
    def aria_describedby(self) -> str:
        ids = []
        if getattr(self.field.widget, "unit", ""):
            ids.append(unit_id(self.auto_id))
        if self.help_text:
            ids.append(f"{self.auto_id}_helptext")
        if self.errors:
            ids.append(self.error_id)
        return " ".join(ids)


class AmountField(forms.CharField):
    """An amount in USD as a person types it, in the reader's language; its value is
    nano-USD, None when left empty.
    """

    bound_field_class = BoundAmount
    # Cents, up to what an amount may be; a rate has more places.
    places = 2
    max_nanos = MAX_AMOUNT_NANOS

    def __init__(
        self,
        *,
        unit: Any = "",
        placeholder: Any = "",
        is_small: bool = False,
        **options: Any,
    ) -> None:
        widget = MoneyInput(unit=unit, is_small=is_small)
        if placeholder:
            widget.attrs["placeholder"] = placeholder
        super().__init__(max_length=60, widget=widget, **options)

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
            return parse_amount(typed, places=self.places, max_nanos=self.max_nanos)
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


def renew_key(form: forms.BaseForm) -> None:
    """After a refusal, the next press of the button is another act."""
    data = cast(QueryDict, form.data).copy()
    data["key"] = new_key()
    form.data = data


def typed_amount(nanos: int | None) -> str:
    """An amount as a person would type it, to fill a field; empty for unlimited."""
    if nanos is None:
        return ""
    whole, cents = to_decimal_text(nanos, places=2).split(".")
    return f"{int(whole):,}.{cents}"


class refusals_on:
    """`with refusals_on(form): act()`: what a rule refuses becomes an error of the form,
    at its field where the form has it, and what follows the block shows the form again.

    `amount_usd="amount"` says which of the form's fields is meant by the rule's.
    """

    def __init__(self, form: forms.BaseForm, **fields: str) -> None:
        self.form = form
        self.fields = fields

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, BusinessError):
            return False
        add_refusal(self.form, error, **self.fields)
        return True


def add_refusal(form: forms.BaseForm, error: BusinessError, **fields: str) -> None:
    """Show a rule's sentence at its field, where the form has it, else above the form."""
    field = fields.get(error.field or "", error.field)
    form.add_error(field if field in form.fields else None, error.message)
