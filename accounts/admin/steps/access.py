"""Steps on what opens a customer: API keys, personal tokens, mails that did not arrive."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actions.api_keys import revoke_api_keys
from accounts.actions.audit import Actor
from accounts.actions.mails import send_again
from accounts.actions.tokens import MOST_TOKENS, revoke_token
from accounts.admin.steps.base import Preview, ReasonForm, Step, Typed
from accounts.admin.steps.choices import RowChoice, asked_for
from accounts.mail_kinds import mail_kind_text
from accounts.models import ApiKey, Membership, Organization, OutgoingMail
from accounts.panels import Effect
from accounts.tasks import send_soon
from config.kit.addresses import canonical_address
from config.kit.dates import dated_day_text, time_text
from config.kit.errors import BusinessError
from config.kit.ids import MOST_DIGITS
from config.kit.keys import PREFIX_LENGTH


class KeysField(forms.ModelMultipleChoiceField):
    """Some of the keys; a number that no row can have is refused, not asked for."""

    def clean(self, value: Any) -> Any:
        """Each id in the bounds of the column."""
        if any(len(str(one)) > MOST_DIGITS for one in value or ()):
            raise ValidationError(_("Choose from the list."), code="invalid_choice")
        return super().clean(value)


class KeysForm(ReasonForm):
    """Which of the keys that are good."""

    keys = KeysField(
        queryset=ApiKey.objects.none(),
        label=gettext_lazy("Keys"),
        widget=forms.CheckboxSelectMultiple,
    )

    def prepare(self) -> None:
        """Those of the customer that nobody revoked, by name."""
        mine = ApiKey.objects.shared().filter(
            organization=self.organization, revoked_at=None
        )
        self.fields["keys"].queryset = mine.order_by("name", "pk")  # type: ignore[attr-defined]
        self.fields["keys"].label_from_instance = key_label  # type: ignore[attr-defined]


class KeysStep(Step):
    name, icon, group, order, is_danger = "keys", "key", "people", 100, True
    label = gettext_lazy("Revoke keys")
    permission, form = "accounts.change_apikey", KeysForm
    foot = gettext_lazy("A revoked key can't be brought back: owners make a new one.")

    def why_not(self, organization: Organization) -> str:
        """There is none."""
        good = organization.api_keys.shared().filter(revoked_at=None)
        return "" if good.exists() else _("There is no key to revoke.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """Which stop working, and when they were last used."""
        keys = list(typed["keys"])
        title = ngettext(
            "%(number)d key would stop working at once.",
            "%(number)d keys would stop working at once.",
            len(keys),
        ) % {"number": len(keys)}
        effects = [
            Effect(key.name, used_text(key.last_used_at), _("revoked")) for key in keys
        ]
        left = organization.api_keys.shared().live(now)
        left = left.exclude(pk__in=[key.pk for key in keys])
        if not left.exists():
            sentence = _("No key would be left: nothing would be checked or recorded.")
            effects.append(Effect(sentence, is_warning=True))
        effects += self.effects(organization, typed, now)
        return Preview(title, effects, button=_("Revoke"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act."""
        revoke_api_keys(organization, list(typed["keys"]), actor=actor, now=now)
        return _("The keys are revoked.")


class TokenForm(ReasonForm):
    """Which personal token, by what support is told: ten thousand don't fit a list."""

    token = forms.CharField(
        label=gettext_lazy("Whose e-mail address, or how the token begins"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class TokenStep(Step):
    name, icon, group, order, is_danger = "token", "key", "people", 105, True
    label = gettext_lazy("Revoke a personal token")
    permission, form = "accounts.change_apikey", TokenForm
    foot = gettext_lazy(
        "A revoked token can't be brought back: its owner makes another."
    )

    def why_not(self, organization: Organization) -> str:
        """There is none."""
        tokens = organization.api_keys.personal().filter(revoked_at=None)
        return "" if tokens.exists() else _("There is no personal token to revoke.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """Whose stops working, and when it was last used."""
        token, member = personal_token(organization, typed["token"], now)
        title = _("A token of %(name)s would stop working at once.") % {
            "name": member.user
        }
        used = used_text(token.last_used_at)
        effects = [Effect(key_label(token), used, _("revoked"))]
        return Preview(title, effects, button=_("Revoke"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act."""
        token, member = personal_token(organization, typed["token"], now)
        revoke_token(token, actor=actor, now=now)
        return _("The token of %(name)s is revoked.") % {"name": member.user}


def personal_token(
    organization: Organization, said: str, now: dt.datetime
) -> tuple[ApiKey, Membership]:
    """The good token of a customer's member that is meant, and whose it is.

    Raises BusinessError at the field `token` where it is none, or one of several, which
    it names.
    """
    said = said.strip().rstrip("….")
    theirs = ApiKey.objects.personal().live(now).filter(organization=organization)
    theirs = theirs.select_related("membership__user").order_by("-created_at", "-pk")
    by_name = Q(membership__user__email=canonical_address(said))
    if len(said) >= PREFIX_LENGTH:
        by_name |= Q(prefix=said[:PREFIX_LENGTH])
    found = list(theirs.filter(by_name)[: MOST_TOKENS + 1])
    if len(found) == 1 and found[0].membership is not None:
        return found[0], found[0].membership
    if found:
        labels = ", ".join(key_label(token) for token in found)
        sentence = _("There are several; type how it begins: %(tokens)s.")
        sentence %= {"tokens": labels}
    else:
        sentence = _("No personal token that works is of that address or begins so.")
    raise BusinessError(sentence, code="no_such_token", status=404, field="token")


def key_label(key: ApiKey) -> str:
    """`LiteLLM production (xu_abc123…)`."""
    return f"{key.name} ({key.prefix}…)"


def used_text(at: dt.datetime | None) -> str:
    """When a key was last used."""
    if at is None:
        return _("never used")
    return _("used %(day)s") % {"day": dated_day_text(at.date())}


class MailForm(ReasonForm):
    """Which mail."""

    mail = RowChoice(OutgoingMail, label=gettext_lazy("Mail"))

    def prepare(self) -> None:
        """The latest of the customer's, newest first, and the one that was asked for."""
        mine = OutgoingMail.objects.filter(organization=self.organization)
        owned = mine.select_related("user")
        field = self.fields["mail"]
        assert isinstance(field, RowChoice)
        field.offer(
            owned,
            owned.order_by("-created_at", "-pk"),
            asked=asked_for(self, "mail"),
            label=mail_label,
        )


class MailStep(Step):
    name, icon, group, order = "mail", "refresh", "people", 110
    label = gettext_lazy("Send a mail again")
    permission, form = "accounts.change_outgoingmail", MailForm
    foot = gettext_lazy("It is written anew, with the figures of now.")

    def why_not(self, organization: Organization) -> str:
        """There is none."""
        mails = OutgoingMail.objects.filter(organization=organization)
        return "" if mails.exists() else _("No mail was written yet.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """To whom, and what became of it before."""
        mail = typed["mail"]
        title = _("%(address)s would get it again.") % {"address": mail.to}
        effects = [Effect(mail_kind_text(mail.kind), mail_state(mail), _("sent again"))]
        if mail.last_error:
            effects.append(Effect(mail.last_error, is_warning=True))
        return Preview(title, effects, button=_("Send again"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act."""
        send_soon(send_again(typed["mail"], actor=actor, now=now))
        return _("The mail to %(address)s goes out again.") % {
            "address": typed["mail"].to
        }


def mail_label(mail: OutgoingMail) -> str:
    """Kind, address, moment and what became of it."""
    day, time = (
        dated_day_text(mail.created_at.date()),
        time_text(mail.created_at, zone="UTC"),
    )
    kind = mail_kind_text(mail.kind)
    return f"{kind} · {mail.to} · {day}, {time} UTC · {mail_state(mail)}"


def mail_state(mail: OutgoingMail) -> str:
    """What became of it."""
    if mail.sent_at:
        return _("sent")
    return _("not sent") if mail.dropped_at else _("waiting")
