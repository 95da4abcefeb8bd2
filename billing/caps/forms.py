"""The form of one cap. Rules live in the acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kit.fields import AmountField


class CapForm(forms.Form):
    """One cap: an amount, and whether for this month only.

    “Set to unlimited” needs no amount.
    """

    amount = AmountField(label=_("Amount"), unit=_("USD per month"))
    this_month_only = forms.BooleanField(label=_("This month only"), required=False)

    def __init__(self, *args: Any, unlimited: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if unlimited:
            # whatever was typed does not matter
            self.fields["amount"] = forms.CharField(required=False)
