"""What operators type about prices and included usage: dollars, factors and hours, each
with its unit, refused at the field in a sentence.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.admin.steps.base import ReasonForm
from accounts.models import Plan, Tier
from billing.models import Condition, WindowName
from billing.models.limits import MOST_RATE_NANOS
from billing.models.prices import FIRST_PROVIDER, MOST_MILLIONTHS
from billing.prices.rules import ONE
from config.kit.fields import AmountField
from config.kit.one_line import validate_line

PER_MILLION = gettext_lazy("USD per million tokens")
PER_THOUSAND = gettext_lazy("USD per thousand searches")
HOUR = 3600
MOST_HOURS = 31 * 24
# A plan that bills every token includes nothing (D2).
PLANS = [choice for choice in Plan.choices if choice[0] != Plan.ENTERPRISE_USAGE]
UTC_DAY = gettext_lazy("A day in UTC: it holds from 00:00 UTC of that day on.")


class RateField(AmountField):
    """Dollars per million tokens or thousand searches, to the nano-dollar."""

    places = 9
    max_nanos = MOST_RATE_NANOS

    def __init__(self, *, unit: Any = PER_MILLION, **options: Any) -> None:
        super().__init__(unit=unit, is_small=True, **options)


class NumberField(forms.CharField):
    """A plain number above 0 with a point, as typed in any width; its value is a whole
    number of the smallest unit, `scale` to one.
    """

    def __init__(self, *, scale: int, most: int, sentence: Any, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=40, widget=forms.TextInput(attrs), **options)
        self.scale, self.most, self.sentence = scale, most, sentence

    def clean(self, value: Any) -> int:
        """The number in its smallest unit."""
        typed = super().clean(value)
        plain = typed.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)})
        found = re.fullmatch(r"[×xX]?\s*(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})", plain)
        number = Decimal(found[1]) * self.scale if found else Decimal(0)
        is_good = number == number.to_integral_value() and 0 < number <= self.most
        if not is_good:
            words = {"typed": typed}
            raise forms.ValidationError(str(self.sentence) % words, code="number")
        return int(number)


def day_field(**options: Any) -> forms.DateField:
    """A day, chosen or typed as 2026-11-27."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(
        widget=widget, input_formats=["%Y-%m-%d"], help_text=UTC_DAY, **options
    )


class RateForm(ReasonForm):
    """All rates of a model, from a day on."""

    provider = forms.CharField(
        label=gettext_lazy("Provider"),
        max_length=40,
        initial=FIRST_PROVIDER,
        validators=[validate_line],
        help_text=gettext_lazy(
            "As genai-prices names it, such as anthropic or openai."
        ),
    )
    model = forms.CharField(
        label=gettext_lazy("Model"),
        max_length=120,
        validators=[validate_line],
        help_text=gettext_lazy("As the provider names it."),
    )
    context_above = forms.IntegerField(
        label=gettext_lazy("For requests above (tokens of input)"),
        min_value=0,
        initial=0,
    )
    starts_on = day_field(label=pgettext_lazy("first day", "From"))
    input_nanos = RateField(label=gettext_lazy("Input"))
    output_nanos = RateField(label=gettext_lazy("Output"))
    cache_write_5m_nanos = RateField(label=gettext_lazy("Cache write, 5 minutes"))
    cache_write_1h_nanos = RateField(label=gettext_lazy("Cache write, 1 hour"))
    cache_read_nanos = RateField(label=gettext_lazy("Cache read"))
    web_search_nanos = RateField(label=gettext_lazy("Web searches"), unit=PER_THOUSAND)

    def fix(self, *names: str) -> None:
        """Show what the step is about; it can't be typed otherwise."""
        for name in names:
            self.fields[name].disabled = True
            self.fields[name].required = False

    def hide_context(self) -> None:
        """A model without tiers has no choice of one."""
        self.fix("context_above")
        self.fields["context_above"].widget = forms.HiddenInput()


class FactorForm(ReasonForm):
    """What multiplies the tokens of some models under a condition."""

    condition = forms.ChoiceField(
        label=gettext_lazy("Condition"), choices=Condition.choices
    )
    value = forms.CharField(
        label=gettext_lazy("Value"),
        max_length=40,
        validators=[validate_line],
        help_text=gettext_lazy("As usage reports it, such as fast, us or batch."),
    )
    pattern = forms.CharField(
        label=gettext_lazy("Models"),
        max_length=160,
        validators=[validate_line],
        help_text=gettext_lazy(
            "provider/model, with * for anything: anthropic/claude-opus-*"
        ),
    )
    starts_on = day_field(label=pgettext_lazy("first day", "From"))
    millionths = NumberField(
        label=gettext_lazy("Factor"),
        scale=ONE,
        most=MOST_MILLIONTHS,
        sentence=gettext_lazy(
            "“%(typed)s” is not a factor. Enter what tokens are multiplied by, above 0 "
            "and up to 100, such as 1.1 or 0.5."
        ),
        help_text=gettext_lazy(
            "× the rates of each token class: 1.1 makes tokens a tenth dearer; 1 ends a "
            "factor."
        ),
    )
    reference = forms.CharField(
        label=gettext_lazy("Where the figure comes from"),
        max_length=200,
        required=False,
        validators=[validate_line],
        help_text=gettext_lazy("A page or a contract."),
    )

    def clean_value(self) -> str:
        """As usage is compared with it."""
        return str(self.cleaned_data["value"]).strip().lower()

    def clean_pattern(self) -> str:
        """As models are compared with it."""
        return str(self.cleaned_data["pattern"]).strip().lower()


class SeatForm(ReasonForm):
    """Which window of which seat."""

    plan = forms.ChoiceField(label=gettext_lazy("Plan"), choices=PLANS)
    seat_tier = forms.ChoiceField(label=gettext_lazy("Seat"), choices=Tier.choices)
    name = forms.ChoiceField(label=gettext_lazy("Window"), choices=WindowName.choices)

    def fix_seat(self) -> None:
        """Show which one the step is about."""
        for name in ("plan", "seat_tier", "name"):
            self.fields[name].disabled = True


class AllowanceForm(SeatForm):
    """How much is included, and in how long."""

    amount_nanos = AmountField(
        label=gettext_lazy("Included"),
        unit=gettext_lazy("USD at API rates, in each window"),
    )
    length_seconds = NumberField(
        label=gettext_lazy("A window lasts (hours)"),
        scale=HOUR,
        most=MOST_HOURS * HOUR,
        sentence=gettext_lazy(
            "A window can't last “%(typed)s” hours. Enter hours, up to 744 (31 days), "
            "such as 5 or 168."
        ),
        help_text=gettext_lazy("In hours: 5 for a session, 168 for a week."),
    )


class NameForm(ReasonForm):
    """What a reported name is the same as."""

    name = forms.CharField(
        label=gettext_lazy("Reported name"),
        max_length=300,
        validators=[validate_line],
        help_text=gettext_lazy("As gateways report it; every spelling of it is meant."),
    )
    same_as = forms.CharField(
        label=gettext_lazy("Is the same as"),
        max_length=161,
        help_text=gettext_lazy("provider/model of the price list."),
        widget=forms.TextInput(attrs={"list": "prices", "autocomplete": "off"}),
    )


class EndNameForm(ReasonForm):
    """Which name means nothing of its own any more."""

    name = forms.CharField(
        label=gettext_lazy("Reported name"), max_length=300, disabled=True
    )
