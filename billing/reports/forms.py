"""The form of a report that is mailed monthly. Rules live in the acts."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext_lazy as _

MOST_TEXT = 10_000


class ReportMailForm(forms.Form):
    """To whom: addresses, one a line, or parted by commas, semicolons or spaces."""

    addresses = forms.CharField(
        label=_("To"),
        max_length=MOST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=_(
            "E-mail addresses of admins and owners, one a line, or any that agreed to "
            "this organization's mails. Whoever gets it can stop it."
        ),
        error_messages={"required": _("Enter at least one e-mail address.")},
    )

    @property
    def typed(self) -> list[str]:
        """The addresses, as typed."""
        return [
            one for one in re.split(r"[\s,;]+", self.cleaned_data["addresses"]) if one
        ]
