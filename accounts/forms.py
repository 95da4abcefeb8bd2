"""Forms of people, seats and keys: reading what was typed. Rules live in the acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Role, Scope, Tier, User
from config.kit.one_line import validate_line

SEATS = [("", _("No seat")), *Tier.choices]
ROLES = [(role.value, role.label) for role in (Role.MEMBER, Role.ADMIN, Role.OWNER)]


class SeatField(forms.ChoiceField):
    """A seat tier, or none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("Seat"), choices=SEATS, required=False, **kwargs)

    def clean(self, value: Any) -> str | None:
        """`None` for no seat."""
        return super().clean(value) or None


class InvitationForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial=Role.MEMBER)
    seat_tier = SeatField(initial=Tier.STANDARD)


class MemberForm(forms.Form):
    """A member's role and seat; the role can't be changed for whom it is fixed."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLES)
    seat_tier = SeatField()

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        initial = {"role": member.base_role, "seat_tier": member.seat_tier or ""}
        super().__init__(*args, **{**kwargs, "initial": initial})
        if member.role is Role.PRIMARY_OWNER:
            del self.fields["role"]


class ReturnForm(forms.Form):
    """With which seat somebody comes back."""

    seat_tier = SeatField(initial="")


class ApiKeyForm(forms.Form):
    """A key's name and what it may do."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        validators=[validate_line],
        help_text=_("Who uses it, such as “production gateway”."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.METER],
    )


class JoinForm(forms.Form):
    """How a new person is called and signs in."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        validators=[validate_line],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Choose a password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters."),
    )


class MeForm(forms.ModelForm):
    """What people change about themselves."""

    class Meta:
        model = User
        fields = ["name", "language"]
