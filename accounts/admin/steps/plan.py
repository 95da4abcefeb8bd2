"""Steps on what a customer agreed on: plan and settlement, seats, time zone."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actions.audit import Actor
from accounts.actions.contracts import change_contract, refuse_settlement
from accounts.actions.organizations import change_timezone, refuse_unknown_zone
from accounts.actions.seats import change_seats, refuse_fewer_than_assigned
from accounts.admin.steps.base import Preview, ReasonForm, Step, Typed, refuse_no_change
from accounts.models import Organization, Plan, SeatTier, Settlement, Tier
from accounts.panels import Effect
from config.kit.dates import dated_day_text, time_text
from config.kit.months import next_month

CHANGE = "accounts.change_organization"


class PlanForm(ReasonForm):
    """Plan and settlement belong together."""

    plan = forms.ChoiceField(label=gettext_lazy("Plan"), choices=Plan.choices)
    settlement = forms.ChoiceField(
        label=gettext_lazy("Settlement"),
        choices=Settlement.choices,
        help_text=gettext_lazy(
            "Prepaid: usage is paid from a balance. Postpaid: an invoice follows the "
            "month."
        ),
    )


class PlanStep(Step):
    name, icon, group, order = "plan", "building", "plan", 20
    label = gettext_lazy("Plan and settlement")
    permission, form = CHANGE, PlanForm
    foot = gettext_lazy(
        "It holds from the next request on. What was used stays as it was paid for."
    )

    def initial(self, organization: Organization) -> Typed:
        """As it is."""
        return {"plan": organization.plan, "settlement": organization.settlement}

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """From what to what, and what it does to people and money."""
        refuse_settlement(typed["plan"], typed["settlement"])
        before = self.initial(organization)
        changes = [name for name in before if before[name] != typed[name]]
        refuse_no_change(bool(changes), "plan")
        names = {**dict(Plan.choices), **dict(Settlement.choices)}
        labels = {"plan": _("Plan"), "settlement": _("Settlement")}
        effects = [
            Effect(labels[one], str(names[before[one]]), str(names[typed[one]]))
            for one in changes
        ]
        title = _("%(name)s would change from the next request on.") % {
            "name": organization.name
        }
        effects += self.effects(organization, typed, now)
        return Preview(title, effects, button=_("Change the plan"))

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
        change_contract(
            organization,
            plan=typed["plan"],
            settlement=typed["settlement"],
            actor=actor,
            now=now,
        )
        return _("The plan of %(name)s is changed.") % {"name": organization.name}


class SeatsForm(ReasonForm):
    """How many of each tier."""

    standard = forms.IntegerField(
        label=gettext_lazy("Standard seats bought"), min_value=0, max_value=1_000_000
    )
    premium = forms.IntegerField(
        label=gettext_lazy("Premium seats bought"), min_value=0, max_value=1_000_000
    )

    def prepare(self) -> None:
        """With how many are assigned."""
        assert self.organization is not None
        for tier in Tier:
            assigned = self.organization.memberships.on_seat(tier).count()
            self.fields[tier].help_text = _("%(assigned)d are assigned.") % {
                "assigned": assigned
            }


class SeatsStep(Step):
    name, icon, group, order = "seats", "users", "plan", 10
    label = gettext_lazy("Seats")
    permission, form = CHANGE, SeatsForm
    foot = gettext_lazy("Owners assign seats themselves. It holds at once.")

    def initial(self, organization: Organization) -> Typed:
        """As it is."""
        rows = SeatTier.objects.filter(organization=organization)
        return dict.fromkeys(Tier.values, 0) | dict(rows.values_list("tier", "bought"))

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """From how many to how many, and how many stay free."""
        before = self.initial(organization)
        effects, more = [], 0
        for tier in Tier:
            bought = typed[tier]
            assigned = refuse_fewer_than_assigned(
                organization, tier, bought, field=tier
            )
            if bought == before[tier]:
                continue
            more += bought - before[tier]
            free = ngettext("%(free)d free", "%(free)d free", bought - assigned)
            after = f"{bought} ({free % {'free': bought - assigned}})"
            effects.append(Effect(str(tier.label), str(before[tier]), after))
        refuse_no_change(bool(effects), "standard")
        title = (
            ngettext("%(more)d more seat.", "%(more)d more seats.", more)
            if more >= 0
            else ngettext("%(more)d seat fewer.", "%(more)d seats fewer.", -more)
        ) % {"more": abs(more)}
        is_much = sum(typed[t] for t in Tier) > 10 * max(sum(before.values()), 5)
        return Preview(
            title,
            effects + self.effects(organization, typed, now),
            sure=_("Yes, more than ten times as many seats") if is_much else "",
            button=_("Set the seats"),
        )

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
        bought = {str(tier): typed[tier] for tier in Tier}
        change_seats(organization, bought, actor=actor, now=now)
        return _("The seats of %(name)s are changed.") % {"name": organization.name}


class ZoneForm(ReasonForm):
    """Typed, and checked against the names there are."""

    timezone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        help_text=gettext_lazy("Such as Asia/Tokyo or America/New_York."),
    )


class ZoneStep(Step):
    name, icon, group, order = "zone", "clock", "plan", 30
    label = gettext_lazy("Time zone")
    permission, form = CHANGE, ZoneForm
    foot = gettext_lazy("The running month keeps its zone; closed months never change.")

    def initial(self, organization: Organization) -> Typed:
        """As it is."""
        return {"timezone": organization.timezone}

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """From when on, and when the next month would begin."""
        zone = refuse_unknown_zone(typed["timezone"])
        refuse_no_change(zone != organization.timezone, "timezone")
        since = next_month(organization.calendar.month_at(now).first_on)
        after = organization.calendar.changed(zone, since=since)
        title = _("Months follow %(zone)s from %(day)s on.") % {
            "zone": zone,
            "day": dated_day_text(since),
        }
        effects = [
            Effect(_("Time zone"), organization.timezone, zone),
            Effect(
                _("The month after ends (UTC)"),
                _utc(organization.calendar.month(since).end),
                _utc(after.month(since).end),
            ),
        ]
        effects += self.effects(organization, typed, now)
        return Preview(title, effects, button=_("Change the time zone"))

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
        change_timezone(organization, timezone=typed["timezone"], actor=actor, now=now)
        return _("The time zone of %(name)s changes with the next month.") % {
            "name": organization.name
        }


def _utc(moment: dt.datetime) -> str:
    return f"{dated_day_text(moment.date())}, {time_text(moment, zone='UTC')}"
