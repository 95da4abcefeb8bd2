"""The operators' page of an organization's tax and days to pay."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor
from billing.documents.actions.details import BUYER, set_terms
from billing.documents.words.documents import named_rate_text, tax_rate_text
from billing.models import BillingDetails
from config.kit.admin import FieldBounds, NoDelete


class TermsForm(forms.ModelForm):
    """Tax as a percentage, and days to pay."""

    tax_percent = forms.DecimalField(
        label=gettext_lazy("Tax rate (percent)"),
        min_value=0,
        max_value=100,
        max_digits=6,
        decimal_places=3,
        initial=0,
    )

    class Meta:
        model = BillingDetails
        fields = ("organization", "tax_label", "due_days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            percent = tax_rate_text(self.instance.tax_rate).removesuffix(" %")
            self.fields["tax_percent"].initial = percent


@admin.register(BillingDetails)
class BillingDetailsAdmin(FieldBounds, NoDelete, admin.ModelAdmin):
    """Tax and terms are the operators'; what is said about the buyer is the owners'."""

    form = TermsForm
    field_bounds = {
        "due_days": [
            MaxValueValidator(
                365, gettext_lazy("Enter 365 days or fewer: that is the longest term.")
            )
        ]
    }
    list_display = ("organization", "legal_name", "rate", "due_days")
    list_select_related = ("organization",)
    search_fields = ("organization__slug", "legal_name")
    fields = (
        "organization",
        "tax_label",
        "tax_percent",
        "due_days",
        *BUYER,
    )

    @admin.display(description=gettext_lazy("Tax"), ordering="tax_rate")
    def rate(self, details: BillingDetails) -> str:
        return named_rate_text(details.tax_label, details.tax_rate)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The buyer's side is read here; an organization is chosen once."""
        if obj:
            return (*BUYER, "organization")
        return BUYER

    def save_model(
        self, request: HttpRequest, obj: BillingDetails, form: Any, change: bool
    ) -> None:
        """By the act, with its audit."""
        typed = form.cleaned_data
        set_terms(
            obj.organization,
            tax_rate=int(typed["tax_percent"] * 1_000),
            tax_label=typed["tax_label"],
            due_days=typed["due_days"],
            actor=Actor.person(operator_of(request)),
            now=timezone.now(),
        )
