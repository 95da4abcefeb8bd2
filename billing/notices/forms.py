"""Forms of what an organization and each person chose about notices. Rules live in the
acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Tier
from billing.models import SoftLimitLevel, ToldBy
from billing.notices.queries.own_choices import KindChoice
from config.kit.fields import AmountField

MOST_PERCENTS = 5


class PercentsForm(forms.Form):
    """Up to five percentages; those left empty are none."""

    def __init__(
        self, *args: Any, percents: Sequence[int] = (), **options: Any
    ) -> None:
        super().__init__(*args, **options)
        for number in range(MOST_PERCENTS):
            self.fields[f"percent_{number + 1}"] = forms.IntegerField(
                label=_("Percentage %(number)s") % {"number": number + 1},
                required=False,
                min_value=1,
                max_value=100,
                initial=percents[number] if number < len(percents) else None,
            )

    @property
    def percents(self) -> list[int]:
        """What was typed, each once, rising."""
        typed = {value for value in self.cleaned_data.values() if value is not None}
        return sorted(typed)


class SoftLimitForm(forms.Form):
    """An amount a month, and whose: the organization's, each person's on a seat tier,
    or one person's.
    """

    target = forms.ChoiceField(label=_("Whose spend"))
    member = forms.EmailField(
        label=_("E-mail address of the person"),
        required=False,
        help_text=_("Only for “One person”."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    amount = AmountField(label=_("Amount"), unit=_("USD per month"))

    def __init__(
        self, *args: Any, organization_name: str, has_tiers: bool, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        tiers = [
            (tier.value, _("Each person on a %(tier)s seat") % {"tier": tier.label})
            for tier in Tier
        ]
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            (SoftLimitLevel.ORGANIZATION.value, organization_name),
            *(tiers if has_tiers else []),
            (SoftLimitLevel.MEMBER.value, _("One person")),
        ]

    @property
    def level(self) -> str:
        """The level that was chosen."""
        target: str = self.cleaned_data["target"]
        return SoftLimitLevel.SEAT_TIER.value if target in Tier.values else target

    @property
    def seat_tier(self) -> str | None:
        """The seat tier, where one was chosen."""
        target = self.cleaned_data["target"]
        return target if target in Tier.values else None

    def clean(self) -> dict[str, Any]:
        """One person has to be named."""
        typed: dict[str, Any] = super().clean() or {}
        is_member = typed.get("target") == SoftLimitLevel.MEMBER
        if is_member and not typed.get("member") and "member" not in self.errors:
            self.add_error("member", _("Enter the e-mail address of a member."))
        return typed


class SoftLimitAmountForm(forms.Form):
    """Another amount of a soft limit that there is."""

    amount = AmountField(label=_("Amount"), unit=_("USD per month"))


class LowBalanceForm(forms.Form):
    """When a balance is low; left empty, by auto-reload's amount."""

    amount = AmountField(label=_("Tell at a balance of"), required=False, unit=_("USD"))


class RecipientForm(forms.Form):
    """Who else gets the organization's notices."""

    address = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "A member gets them at once. Any other address is asked by mail first."
        ),
    )


class ChoicesForm(forms.Form):
    """How a person is told of each kind, in one organization."""

    def __init__(
        self,
        *args: Any,
        membership: Membership,
        kinds: Iterable[KindChoice],
        **options: Any,
    ) -> None:
        super().__init__(*args, prefix=f"m{membership.pk}", **options)
        for one in kinds:
            usual = (
                [] if one.default else [("", _("Week: page and mail; session: page"))]
            )
            self.fields[one.kind] = forms.ChoiceField(
                label=one.kind.label,
                choices=[*usual, *ToldBy.choices],
                initial=one.chosen or one.default,
                required=bool(one.default),
            )
