"""Forms of Settings › Usage: amounts as people type them, the switch with its first caps. Rules live in the acts."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Plan, Tier
from billing.models import ExtraUsageScope
from config.kit.money import AmountError, parse_amount, to_decimal_text


class AmountField(forms.CharField):
    """An amount in USD as a person types it, in the reader's language; its value is nano-USD, None when left empty."""

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=60, widget=forms.TextInput(attrs=attrs), **options)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\0", "")

    def clean(self, value: Any) -> Any:
        """Nano-USD, or None for an empty optional field. The sentence of a refusal is `parse_amount`'s."""
        typed = self.to_python(value)
        if not typed and not self.required:
            return None
        self.run_validators(typed)
        try:
            return parse_amount(typed)
        except AmountError as error:
            raise forms.ValidationError(str(error), code=error.code) from error


class CapForm(forms.Form):
    """One cap: an amount, and whether for this month only. “Set to unlimited” needs no amount."""

    amount = AmountField(label=_("Amount"))
    this_month_only = forms.BooleanField(label=_("This month only"), required=False)

    def __init__(self, *args: Any, unlimited: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if unlimited:
            self.fields["amount"] = forms.CharField(required=False)  # whatever was typed does not matter


class FirstCapsForm(forms.Form):
    """The caps extra usage starts with: the organization's, and those per seat tier where the plan has them."""

    organization_cap = AmountField(
        label=_("Organization spend cap"),
        required=False,
        help_text=_("Shared by everyone, each calendar month. Left empty, it is unlimited."),
    )
    standard = AmountField(label=_("Standard"), required=False)
    premium = AmountField(label=_("Premium"), required=False)

    def __init__(self, *args: Any, plan: str, **options: Any) -> None:
        super().__init__(*args, **options)
        if plan != Plan.ENTERPRISE_SEAT:
            for tier in Tier:
                del self.fields[tier]

    @property
    def seat_caps(self) -> dict[str, int | None]:
        """The amount of each seat tier offered, in nano-USD; only after the form is valid."""
        return {tier: self.cleaned_data[tier] for tier in Tier if tier in self.fields}


class ScopeForm(forms.Form):
    """Who has extra usage."""

    scope = forms.ChoiceField(
        label=_("For whom"), choices=ExtraUsageScope.choices, widget=forms.RadioSelect, initial=ExtraUsageScope.EVERYONE
    )


class EnableForm(FirstCapsForm, ScopeForm):
    """Turning extra usage on: first caps, and for whom."""


class KeyField(forms.RegexField):
    """Names this showing of a form, so that pressing its button twice does its act once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"\A[0-9a-f]{32}\Z", widget=forms.HiddenInput, initial=new_key, **options)


def new_key() -> str:
    """A key that no other showing of a form has."""
    return uuid.uuid4().hex


class BuyForm(forms.Form):
    """Buying balance."""

    amount = AmountField(label=_("Amount"))
    key = KeyField()


class ReloadForm(forms.Form):
    """Auto-reload: on or off, when it buys, how much, and at most how much a month."""

    enabled = forms.BooleanField(label=_("Auto-reload"), required=False)
    threshold = AmountField(label=_("Reload when balance reaches"), required=False)
    amount = AmountField(label=_("Reload amount"), required=False)
    limit = AmountField(
        label=_("Monthly reload limit"),
        required=False,
        help_text=_("Left empty, it is the organization spend cap. At most five reloads a day."),
    )


class BillingDetailsForm(forms.Form):
    """What documents say about the buyer, and where they are mailed."""

    legal_name = forms.CharField(
        label=_("Legal name"), max_length=200, required=False, help_text=_("Left empty, the organization's name.")
    )
    address = forms.CharField(
        label=_("Address"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    tax_id = forms.CharField(label=_("Tax number"), max_length=60, required=False)
    reference = forms.CharField(
        label=_("Your reference"), max_length=100, required=False, help_text=_("Such as a purchase order number.")
    )
    billing_email = forms.EmailField(
        label=_("Billing e-mail"), help_text=_("Invoices and statements are mailed there and to the owners.")
    )


def typed_amount(nanos: int | None) -> str:
    """An amount as a person would type it, to fill a field; empty for unlimited."""
    if nanos is None:
        return ""
    whole, cents = to_decimal_text(nanos, places=2).split(".")
    return f"{int(whole):,}.{cents}"
