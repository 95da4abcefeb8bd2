"""Forms of unattributed usage: whose it is, and what is done about somebody unknown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization, UnknownPeople
from accounts.queries import member_by_ref
from config.kit.errors import BusinessError

MOST_LISTED = 200


class AssignForm(forms.Form):
    """Whose it is, by their address: ten thousand don't fit a list."""

    member = forms.CharField(
        label=_("Member"),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "inputmode": "email", "spellcheck": "false"}
        ),
        help_text=_("Their e-mail address here."),
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization

    def clean_member(self) -> Membership:
        """The member with this address, removed ones too: they had used it."""
        try:
            return member_by_ref(self.organization, self.cleaned_data["member"])
        except BusinessError as error:
            raise forms.ValidationError(str(error), code=error.code) from error


class UnknownForm(forms.Form):
    """What is done about somebody unknown. Without mail domains of its own, an
    organization can only refuse them.
    """

    unknown_people = forms.ChoiceField(
        label=_("Somebody unknown is"), choices=UnknownPeople.choices
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        initial = {"unknown_people": organization.unknown_people}
        super().__init__(*args, **{"initial": initial, **kwargs})
        if not organization.own_domains:
            kept = {UnknownPeople.REFUSE, organization.unknown_people}
            self.fields["unknown_people"].choices = [  # type: ignore[attr-defined]
                choice for choice in UnknownPeople.choices if choice[0] in kept
            ]
