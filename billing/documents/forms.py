"""The form of billing details."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kit.one_line import validate_name, validate_names


class BillingDetailsForm(forms.Form):
    """What documents say about the buyer, and where they are mailed."""

    legal_name = forms.CharField(
        label=_("Legal name"),
        max_length=200,
        validators=[validate_name],
        required=False,
        help_text=_("Leave empty to use the organization's name."),
    )
    address = forms.CharField(
        label=_("Address"),
        max_length=500,
        validators=[validate_names],
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    tax_id = forms.CharField(
        label=_("Tax number"), max_length=60, required=False, validators=[validate_name]
    )
    reference = forms.CharField(
        label=_("Your reference"),
        max_length=100,
        validators=[validate_name],
        required=False,
        help_text=_("For example, a purchase order number."),
    )
    billing_email = forms.EmailField(
        label=_("Billing e-mail"),
        help_text=_(
            "Invoices and statements are sent to this address and to the owners."
        ),
    )
