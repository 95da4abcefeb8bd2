"""Forms of requests: the member's note and amount, the reviewer's decision, the owner's
settings. Rules live in the acts.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kit.fields import AmountField
from requests_inbox.models import NOTE_LENGTH

MONTH, ALWAYS = "month", "always"


class NoteField(forms.CharField):
    """A short text; line breaks count as one character each, as the person sees them."""

    says_optional = True

    def __init__(self, **options: Any) -> None:
        note = forms.Textarea({"rows": 2})
        super().__init__(max_length=NOTE_LENGTH, widget=note, **options)

    def to_python(self, value: object) -> str:
        return str(super().to_python(value)).replace("\0", "").replace("\r\n", "\n")


class DetailsForm(forms.Form):
    """The optional note and amount after the one click (R4a)."""

    note = NoteField(label=_("Note"), required=False)
    amount = AmountField(label=_("Amount"), required=False, is_small=True)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"auto_id": "request-%s"} | options)


class IncreaseForm(forms.Form):
    """A new limit, and for how long."""

    amount = AmountField(label=_("New limit"), is_small=True)
    applies = forms.ChoiceField(
        label=_("Applies"),
        choices=[(MONTH, _("This month only")), (ALWAYS, _("From now on"))],
        initial=MONTH,
    )

    @property
    def this_month_only(self) -> bool:
        """Only after the form is valid."""
        return bool(self.cleaned_data["applies"] == MONTH)


class DismissForm(forms.Form):
    """An optional note to the member."""

    note = NoteField(label=_("Note to the member"), required=False)


class RequestSettingsForm(forms.Form):
    """Whether members may ask, and when the digest comes."""

    enabled = forms.BooleanField(
        label=_("Members may press “Request more usage”"), required=False
    )
    digest_hour = forms.TypedChoiceField(
        label=_("Daily digest at"),
        coerce=int,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
    )

    def __init__(self, *args: Any, zone_city: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["digest_hour"].help_text = gettext(
            "%(zone_city)s time. One e-mail to each admin and owner while requests are"
            " waiting."
        ) % {"zone_city": zone_city}
