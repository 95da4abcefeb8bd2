"""Forms of buying balance and of auto-reload. Rules live in the acts."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kit.fields import AmountField, KeyField


class BuyForm(forms.Form):
    """Buying balance."""

    amount = AmountField(label=_("Amount"), unit=_("USD"), placeholder="100.00")
    key = KeyField()


class ReloadForm(forms.Form):
    """Auto-reload: on or off, when it buys, how much, and at most how much a month."""

    enabled = forms.BooleanField(label=_("Auto-reload"), required=False)
    threshold = AmountField(
        label=_("Reload when balance reaches"),
        required=False,
        unit=_("USD"),
        placeholder="25.00",
    )
    amount = AmountField(
        label=_("Reload amount"), required=False, unit=_("USD"), placeholder="100.00"
    )
    limit = AmountField(
        label=_("Monthly reload limit"),
        required=False,
        help_text=_(
            "Leave empty to use the organization spend cap. At most five reloads a day."
        ),
        unit=_("USD per month"),
        placeholder=_("Organization cap"),
    )


class SandboxCardForm(forms.Form):
    """The number of a test card, for the test gateway."""

    number = forms.CharField(
        label=_("Card number"),
        required=False,
        initial="4242 4242 4242 4242",
        widget=forms.TextInput(
            {
                "inputmode": "numeric",
                "autocomplete": "off",
                "maxlength": 60,
                "autofocus": True,
            }
        ),
    )
