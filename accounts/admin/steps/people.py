"""Steps on people of a customer: who is the primary owner, whose account is on."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actions.audit import Actor
from accounts.actions.organizations import (
    hand_over_primary_owner,
    refuse_as_primary_owner,
)
from accounts.actions.people import refuse_primary_owner, switch_person
from accounts.admin.steps.base import Preview, ReasonForm, Step, Typed
from accounts.models import ApiKey, Membership, Organization, User
from accounts.panels import Effect
from accounts.queries import member_by_ref
from accounts.sessions import count_sessions
from config.kit.errors import BusinessError

CHANGE_PERSON = "accounts.change_user"
CHANGE_MEMBER = "accounts.change_membership"


class PersonForm(ReasonForm):
    """Whom it is about, by their address: ten thousand don't fit a list."""

    person = forms.CharField(
        label=gettext_lazy("Whose e-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )


class PersonStep(Step):
    """A step on one member."""

    group, form = "people", PersonForm
    permission = CHANGE_PERSON

    def member(self, organization: Organization, typed: Typed) -> Membership:
        """Whom it is about. Raises BusinessError at the field `person`; superusers are
        for superusers.
        """
        try:
            member = member_by_ref(organization, typed["person"].strip())
        except BusinessError as error:
            error.field = "person"
            raise
        if member.user.is_superuser or member.is_erased:
            raise BusinessError(
                _("%(name)s can't be changed here.") % {"name": member.user},
                code="out_of_reach",
                status=403,
                field="person",
            )
        return member


class HandOverStep(PersonStep):
    name, icon, order = "hand-over", "crown", 50
    label = gettext_lazy("Hand over primary owner")
    permission = CHANGE_MEMBER
    foot = gettext_lazy("The one before stays an owner.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """From whom to whom."""
        member = self.member(organization, typed)
        refuse_as_primary_owner(organization, member)
        before = organization.primary_owner
        title = _("%(name)s would become the primary owner.") % {"name": member.user}
        effects = [
            Effect(_("Primary owner"), who(before), who(member.user)),
            Effect(
                _("Role of %(name)s") % {"name": member.user},
                str(member.role.label),
                _("Primary Owner"),
            ),
        ]
        effects += self.effects(organization, typed, now)
        return Preview(title, effects, button=_("Hand over"))

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
        member = self.member(organization, typed)
        hand_over_primary_owner(organization, membership=member, actor=actor, now=now)
        return _("%(name)s is now the primary owner.") % {"name": member.user}


class SwitchOffStep(PersonStep):
    name, icon, order, is_danger = "switch-off", "player-pause", 60, True
    label = gettext_lazy("Switch a person off")
    foot = gettext_lazy("Their history stays. They can be switched on again.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """Where they are refused, what ends, and what goes on."""
        person = self.member(organization, typed).user
        refuse_primary_owner(person)
        _refuse_state(person, on=False)
        keys = ApiKey.objects.shared().live(now).filter(created_by=person).count()
        title = _("%(name)s would be refused at the next request, everywhere.") % {
            "name": person
        }
        effects = [
            Effect(_("Account"), _("On"), _("Off")),
            Effect(_("Organizations"), _organizations(person)),
            Effect(_("Sessions that end"), str(count_sessions(person))),
        ]
        if keys:
            sentence = ngettext(
                "%(keys)d API key they made goes on. Revoke it by its own step.",
                "%(keys)d API keys they made go on. Revoke them by their own step.",
                keys,
            )
            effects.append(Effect(sentence % {"keys": keys}, is_warning=True))
        effects += self.effects(organization, typed, now)
        return Preview(title, effects, button=_("Switch off"))

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
        person = self.member(organization, typed).user
        switch_person(person, on=False, actor=actor, now=now)
        return _("The account of %(name)s is switched off.") % {"name": person}


class SwitchOnStep(PersonStep):
    name, icon, order = "switch-on", "circle-check", 61
    label = gettext_lazy("Switch a person on")
    foot = gettext_lazy("Seat, caps and role are as they were.")

    def why_not(self, organization: Organization) -> str:
        """Nobody is off."""
        off = organization.memberships.active().filter(user__is_active=False)
        return "" if off.exists() else _("Nobody is switched off.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """That they come in again."""
        person = self.member(organization, typed).user
        _refuse_state(person, on=True)
        title = _("%(name)s could sign in again at once.") % {"name": person}
        effects = [
            Effect(_("Account"), _("Off"), _("On")),
            Effect(_("Organizations"), _organizations(person)),
        ]
        return Preview(title, effects, button=_("Switch on"))

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
        person = self.member(organization, typed).user
        switch_person(person, on=True, actor=actor, now=now)
        return _("The account of %(name)s is switched on.") % {"name": person}


def who(user: User) -> str:
    """Name and address."""
    return f"{user.name} ({user.email})" if user.name else user.email


def _organizations(person: User) -> str:
    mine = Membership.objects.active().filter(user=person)
    return ", ".join(mine.values_list("organization__name", flat=True).order_by("pk"))


def _refuse_state(person: User, *, on: bool) -> None:
    if person.is_active != on:
        return
    sentence = (
        _("The account of %(name)s is on already.")
        if on
        else _("The account of %(name)s is off already.")
    )
    raise BusinessError(
        sentence % {"name": person}, code="no_change", status=422, field="person"
    )
