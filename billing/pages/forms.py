"""Forms of Settings › Usage: amounts as people type them, the switch with its first
caps. Rules live in the acts.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Plan, Tier
from billing.models import ExtraUsageScope
from config.kit.fields import AmountField

# The name of the button that enables without a cap of the organization.
UNLIMITED = "unlimited"


def _seat_cap(label: Promise) -> AmountField:
    return AmountField(label=label, required=False, unit=_("USD"))


def _without(tier: Promise) -> forms.BooleanField:
    label = format_lazy(_("{tier}: without a cap"), tier=tier)
    return forms.BooleanField(label=label, required=False)


class FirstCapsForm(forms.Form):
    """The caps extra usage starts with: the organization's, and those per seat tier
    where the plan has them.
    """

    organization_cap = AmountField(
        label=_("Organization spend cap"),
        required=False,
        help_text=_("Shared by everyone, each calendar month."),
        unit=_("USD per month"),
    )
    standard = _seat_cap(_("Standard"))
    premium = _seat_cap(_("Premium"))
    standard_unlimited = _without(_("Standard"))
    premium_unlimited = _without(_("Premium"))

    def __init__(self, *args: Any, plan: str, **options: Any) -> None:
        super().__init__(*args, **options)
        if plan != Plan.ENTERPRISE_SEAT:
            for tier in Tier:
                del self.fields[tier], self.fields[f"{tier}_unlimited"]

    def clean(self) -> dict[str, Any]:
        """No seat cap is a tick of its own, never an empty field either."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for tier in self._tiers:
            if cleaned.get(f"{tier}_unlimited"):
                cleaned[tier] = None
            elif UNLIMITED in self.data:  # “Without a cap” is a press for all of them
                continue
            elif tier in cleaned and cleaned[tier] is None:
                self.add_error(tier, _("Enter an amount, or tick “without a cap”."))
        return cleaned

    @property
    def _tiers(self) -> list[Tier]:
        return [tier for tier in Tier if tier in self.fields]

    def clean_organization_cap(self) -> int | None:
        """No cap is a choice with a button of its own, never an empty field."""
        cap_nanos: int | None = self.cleaned_data["organization_cap"]
        if UNLIMITED in self.data:
            return None
        if cap_nanos is None:
            raise forms.ValidationError(
                _("Enter an amount, or choose “%(unlimited)s”.")
                % {"unlimited": _("Without a cap")},
                code="empty",
            )
        return cap_nanos

    @property
    def seat_caps(self) -> dict[str, int | None]:
        """The amount of each seat tier offered, in nano-USD; only after the form is valid."""
        return {tier: self.cleaned_data[tier] for tier in self._tiers}


class MemberCapForm(forms.Form):
    """The first cap of one member, beside others in the same form."""

    amount = AmountField(
        unit=_("USD"),
        is_small=True,
        error_messages={"required": _("Enter an amount, or remove the person.")},
    )


class ScopeForm(forms.Form):
    """Who has extra usage."""

    scope = forms.ChoiceField(
        label=_("Who gets it"),
        choices=ExtraUsageScope.choices,
        widget=forms.RadioSelect,
        initial=ExtraUsageScope.EVERYONE,
    )


class AskFirstForm(forms.Form):
    """Whether members are asked before extra usage begins, as the reader saw it."""

    required = forms.BooleanField(required=False, widget=forms.HiddenInput)


class EnableForm(FirstCapsForm, ScopeForm):
    """Turning extra usage on: first caps, and for whom."""
