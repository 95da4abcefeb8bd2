"""Steps on how people of a customer sign in: second factor, sessions, address."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.addresses import change_address, refuse_taken_address
from accounts.actions.audit import Actor
from accounts.actions.security import record_security_event
from accounts.actions.signing_out import record_sessions_ended
from accounts.actions.two_factor import reset_two_factor
from accounts.admin.steps.base import Preview, Typed
from accounts.admin.steps.people import PersonForm, PersonStep
from accounts.models import ApiKey, Organization, SecurityEvent, User
from accounts.panels import Effect
from accounts.queries import has_second_factor
from accounts.security_events import origin_of
from accounts.sessions import count_sessions, end_sessions
from accounts.tasks import send_soon
from config.kit.errors import BusinessError


class TwoFactorStep(PersonStep):
    name, icon, order = "two-factor", "shield-lock", 70
    label = gettext_lazy("Reset two-factor")
    foot = gettext_lazy("They are told by e-mail. Make sure that it is really them.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """What stops working."""
        person = self.member(organization, typed).user
        if not has_second_factor(person):
            raise BusinessError(
                _("%(name)s has no two-factor sign-in.") % {"name": person},
                code="no_second_factor",
                field="person",
            )
        title = _("%(name)s would sign in with their password alone.") % {
            "name": person
        }
        effects = [
            Effect(_("Two-factor sign-in"), _("On"), _("Off")),
            Effect(_("Recovery codes"), _("Work"), _("Stop working")),
            Effect(_("Sessions that end"), str(count_sessions(person))),
        ]
        return Preview(title, effects, button=_("Reset two-factor"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act; their sessions end."""
        person = self.member(organization, typed).user
        mails = reset_two_factor(person, actor=actor, now=now)
        kind = SecurityEvent.Kind.SECOND_FACTOR_REMOVED
        _note(kind, person, actor=actor, now=now, request=request)
        end_sessions(person, but=request.session.session_key)
        send_soon(mails)
        return _("Two-factor sign-in of %(name)s is reset; they are told.") % {
            "name": person
        }


class SessionsStep(PersonStep):
    name, icon, order = "sessions", "logout", 80
    label = gettext_lazy("End sessions")
    foot = gettext_lazy("They can sign in again at once. API keys go on.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """How many end."""
        person = self.member(organization, typed).user
        sessions = count_sessions(person)
        if not sessions:
            raise BusinessError(
                _("%(name)s is signed in nowhere.") % {"name": person},
                code="no_session",
                field="person",
            )
        title = _("%(name)s would be signed out everywhere.") % {"name": person}
        effects = [Effect(_("Sessions that end"), str(sessions))]
        return Preview(title, effects, button=_("End sessions"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """All but the operator's own."""
        person = self.member(organization, typed).user
        ended = end_sessions(person, but=request.session.session_key)
        record_sessions_ended(person, ended=ended, actor=actor, now=now)
        kind = SecurityEvent.Kind.SIGNED_OUT
        _note(kind, person, actor=actor, now=now, request=request)
        return _("%(name)s is signed out everywhere.") % {"name": person}


class AddressForm(PersonForm):
    """Whose, and which."""

    email = forms.EmailField(label=gettext_lazy("New e-mail address"))


class AddressStep(PersonStep):
    name, icon, order = "address", "mail", 90
    label = gettext_lazy("Change an address")
    form = AddressForm
    foot = gettext_lazy("Both mailboxes are told. The old address opens nothing more.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """From which to which, and what ends."""
        person = self.member(organization, typed).user
        email = refuse_taken_address(person, typed["email"])
        title = _("%(name)s would sign in with %(email)s.") % {
            "name": person,
            "email": email,
        }
        effects = [
            Effect(_("E-mail address"), person.email, email),
            Effect(_("Sessions that end"), str(count_sessions(person))),
            Effect(_("Personal tokens that end"), str(_count_tokens(person, now))),
            Effect(_("Usage reported for the old address still counts for them.")),
        ]
        return Preview(title, effects, button=_("Change the address"))

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
        assert actor.user is not None
        person = self.member(organization, typed).user
        mails = change_address(
            person,
            email=typed["email"],
            by=actor.user,
            now=now,
            origin=origin_of(request),
            reason=actor.reason,
        )
        send_soon(mails)
        return _("%(name)s now signs in with %(email)s.") % {
            "name": person,
            "email": person.email,
        }


def _count_tokens(person: User, now: dt.datetime) -> int:
    tokens = ApiKey.objects.personal().live(now)
    return tokens.filter(membership__user=person).count()


def _note(
    kind: str, person: User, *, actor: Actor, now: dt.datetime, request: HttpRequest
) -> None:
    record_security_event(
        kind,
        person=person,
        operator=actor.user,
        origin=origin_of(request),
        now=now,
    )
