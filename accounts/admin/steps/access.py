"""Steps on what opens a customer: API keys, and mails that did not arrive."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actions.api_keys import revoke_api_keys
from accounts.actions.audit import Actor
from accounts.actions.mails import send_again
from accounts.admin.steps.base import Preview, ReasonForm, Step, Typed
from accounts.admin.steps.choices import RowChoice, asked_for
from accounts.mail_kinds import mail_kind_text
from accounts.models import ApiKey, Organization, OutgoingMail
from accounts.panels import Effect
from accounts.tasks import send_soon
from config.kit.dates import dated_day_text, time_text
from config.kit.ids import MOST_DIGITS


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
