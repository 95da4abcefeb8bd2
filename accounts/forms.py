"""Forms of people, seats and keys: reading what was typed. Rules live in the acts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    SHARED_SCOPES,
    ApiKey,
    ExternalId,
    Membership,
    Role,
    Scope,
    Tier,
    TwoFactor,
    User,
)
from config.kit.one_line import validate_name

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


class KeysField(forms.TypedMultipleChoiceField):
    """Which API keys of somebody who loses rights end with them: all, unless unticked."""

    def __init__(self, keys: Iterable[ApiKey], **kwargs: Any) -> None:
        choices = [(key.pk, f"{key.name} ({key.prefix}…)") for key in keys]
        super().__init__(
            choices=choices,
            initial=[pk for pk, _label in choices],
            coerce=int,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            **kwargs,
        )


class MemberForm(forms.Form):
    """A member's role and seat; the role can't be changed for whom it is fixed. With an
    owner's `keys`, also which of them end when they stop being one.
    """

    role = forms.ChoiceField(label=_("Role"), choices=ROLES)
    seat_tier = SeatField()

    def __init__(
        self, *args: Any, member: Membership, keys: Iterable[ApiKey] = (), **kwargs: Any
    ) -> None:
        initial = {"role": member.base_role, "seat_tier": member.seat_tier or ""}
        super().__init__(*args, **{**kwargs, "initial": initial})
        if member.role is Role.PRIMARY_OWNER:
            del self.fields["role"]
        elif member.base_role == Role.OWNER and keys:
            self.fields["keys"] = KeysField(
                keys,
                label=_("API keys they made"),
                help_text=_(
                    "Those ticked are revoked if they stop being an owner. Their open "
                    "invitations are withdrawn then, too."
                ),
            )


class RemovalForm(forms.Form):
    """Which of somebody's API keys end when they are removed."""

    def __init__(self, *args: Any, keys: Iterable[ApiKey], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if keys:
            self.fields["keys"] = KeysField(
                keys,
                label=_("API keys they made"),
                help_text=_(
                    "Those ticked are revoked. Whatever uses them is refused from its "
                    "next call on."
                ),
            )


class ReturnForm(forms.Form):
    """With which seat somebody comes back."""

    seat_tier = SeatField(initial="")


class SecurityForm(forms.Form):
    """Of whom two-factor sign-in is required."""

    two_factor = forms.ChoiceField(
        label=_("Require two-factor sign-in of"),
        choices=TwoFactor.choices,
        required=False,
        widget=forms.RadioSelect,
        help_text=_(
            "Who lacks it sets it up before their next page. API keys go on working."
        ),
    )


class LastDayField(forms.DateField):
    """A day that may be left open."""

    says_optional = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Valid until"),
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            help_text=_("The last day. Owners get an e-mail seven days before."),
            **kwargs,
        )


class ApiKeyForm(forms.Form):
    """A key's name and what it may do."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        validators=[validate_name],
        help_text=_("Who uses it, such as “production gateway”."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=[(scope.value, scope.label) for scope in SHARED_SCOPES],
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.METER],
    )
    expires_on = LastDayField()


class TokenForm(forms.Form):
    """A personal token's name and end, and where it is for, if there is a choice."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        validators=[validate_name],
        help_text=_("What uses it, such as “laptop”."),
    )
    expires_on = LastDayField()

    def __init__(
        self, *args: Any, memberships: dict[int, Membership], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expires_on"].help_text = _(
            "The last day, at most one year ahead; 90 days if left empty."
        )
        choices = [(pk, one.organization.name) for pk, one in memberships.items()]
        self.only = choices[0][0] if len(choices) == 1 else None
        if self.only is None:
            self.fields["membership"] = forms.TypedChoiceField(
                label=_("Organization"), choices=choices, coerce=int
            )
            self.order_fields(["membership", "name", "expires_on"])

    def clean(self) -> dict[str, Any]:
        """With the membership, chosen or the only one."""
        typed: dict[str, Any] = super().clean() or {}
        return typed if self.only is None else {**typed, "membership": self.only}


class ExternalIdsForm(forms.Form):
    """External ids of a member, `issuer:subject` a line."""

    external_ids = forms.CharField(
        label=_("External ids"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=_(
            "One a line, issuer and subject with a colon between, such as"
            " https://login.example.com:00u1ab2c."
        ),
    )

    def __init__(self, *args: Any, held: Iterable[ExternalId], **kwargs: Any) -> None:
        self.held = {one.name: (one.issuer, one.subject) for one in held}
        initial = {"external_ids": "\n".join(self.held)}
        super().__init__(*args, **{**kwargs, "initial": initial})

    def clean_external_ids(self) -> list[tuple[str, str]]:
        """Each line taken apart at its last colon, unless it is one they have."""
        lines = self.cleaned_data["external_ids"].splitlines()
        pairs = []
        for line in filter(None, map(str.strip, lines)):
            issuer, colon, subject = line.rpartition(":")
            if not colon:
                sentence = _("“%(line)s” has no colon between issuer and subject.")
                raise forms.ValidationError(sentence % {"line": line[:100]})
            pairs.append(self.held.get(line, (issuer, subject)))
        return pairs


class JoinForm(forms.Form):
    """How a new person is called and signs in."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        validators=[validate_name],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Choose a password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters, not made of your name or address."),
    )


class MeForm(forms.ModelForm):
    """What people change about themselves."""

    class Meta:
        model = User
        fields = ["name", "language"]
