"""Forms of buying balance and of auto-reload. Rules live in the acts."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kit.fields import AmountField, KeyField


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
        help_text=_(
            "Leave empty to use the organization spend cap. At most five reloads a day."
        ),
    )
