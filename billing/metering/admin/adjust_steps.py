"""The step on one event: waive it, or charge less or more for it. Amounts are nano-USD."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Sum, TextChoices
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.admin.steps import KeyedForm, Preview, Step, Typed, register
from accounts.models import AuditEntry, Organization
from accounts.panels import Effect, register_undo
from billing.ledger.queries import open_month
from billing.metering.actions.adjustments import (
    MAX_REASON,
    adjust_event,
    booked_by_form,
    check_adjustment,
    cost_with_adjustments,
)
from billing.metering.admin.events import events_called
from billing.models import AdjustmentSource, UsageAdjustment, UsageEvent
from billing.payments.admin.effects import balance_effects
from config.kit.dates import dated_day_text, month_text
from config.kit.errors import BusinessError
from config.kit.fields import AmountField
from config.kit.money import NANOS_PER_CENT, format_usd, to_decimal_text
from config.kit.months import local_day
from config.kit.one_line import validate_line


class Way(TextChoices):
    """What becomes of an event's cost."""

    WAIVE = "waive", gettext_lazy("Waive it: it costs nothing")
    LESS = "less", gettext_lazy("Charge less")
    MORE = "more", gettext_lazy("Charge more")
    PRICED = "priced", gettext_lazy("Charge again what the prices say")


class AdjustForm(KeyedForm):
    """Which event, by the id that the gateway sent, and how much."""

    event = forms.CharField(
        label=gettext_lazy("Event"),
        max_length=200,
        help_text=gettext_lazy("The ID the gateway sent."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    way = forms.ChoiceField(
        label=gettext_lazy("What to do"), choices=Way.choices, widget=forms.RadioSelect
    )
    amount = AmountField(
        label=gettext_lazy("How much less or more"),
        help_text=gettext_lazy("Only for these two."),
        unit=gettext_lazy("USD"),
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=MAX_REASON,
        required=False,
        validators=[validate_line],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Owners will see it on the bill."),
    )

    def clean(self) -> dict[str, Any]:
        """Less or more needs an amount; the other ways have their own."""
        typed = super().clean() or {}
        if typed.get("way") in (Way.WAIVE, Way.PRICED):
            typed["amount"] = None
        elif not self.errors and typed.get("amount") is None:
            self.add_error("amount", _("Enter an amount."))
        return typed


class AdjustStep(Step):
    name, icon, group, order = "adjust", "pencil", "money", 80
    label = gettext_lazy("Adjust an event")
    permission, form = "billing.add_usageadjustment", AdjustForm
    foot = gettext_lazy(
        "The event stays as it came. The difference is a line of its own on the open "
        "month, with the reason."
    )

    def initial(self, organization: Organization) -> Typed:
        """What support does most."""
        return {"way": Way.WAIVE}

    def done_before(self, organization: Organization, typed: Typed) -> str:
        """Booked by this form."""
        event = find_event(organization, typed["event"])
        amount = None if typed["amount"] is None else _signed(typed)
        booked = booked_by_form(event, key=typed["key"], amount_nanos=amount)
        if booked is None:
            return ""
        sentence = _(
            "%(amount)s was booked already by this form; nothing was booked twice."
        )
        return sentence % {"amount": format_usd(booked.amount_nanos)}

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """The cost from what to what, whose it is, and which document carries it."""
        event = find_event(organization, typed["event"])
        amount = _amount(event, typed)
        cost = check_adjustment(event, amount_nanos=amount)
        title = _("%(event)s would cost %(after)s.") % {
            "event": event.event_id,
            "after": exact_text(cost + amount),
        }
        day_on = local_day(event.occurred_at, organization.zone_at(event.occurred_at))
        effects = [
            Effect(_("Cost"), exact_text(cost), exact_text(cost + amount)),
            Effect(_("Person"), str(event.membership.user)),
            Effect(_("Model"), event.model),
            Effect(_("Ran on"), dated_day_text(day_on)),
            Effect(_("Counted to"), month_text(event.month_on)),
            *carried_by(organization, event, amount, now=now),
            *self.effects(organization, typed, now),
        ]
        return Preview(title, effects, button=_("Book it"))

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
        event = find_event(organization, typed["event"])
        booked = adjust_event(
            event,
            amount_nanos=_amount(event, typed),
            reason=actor.reason,
            operator=operator_of(request),
            key=typed["key"],
            now=now,
        )
        return _("%(event)s is adjusted by %(amount)s; it counts to %(month)s.") % {
            "event": event.event_id,
            "amount": exact_text(booked.amount_nanos),
            "month": month_text(booked.month_on),
        }


def find_event(organization: Organization, event_id: str) -> UsageEvent:
    """The customer's event of that id. Raises BusinessError at the field `event`; of
    another customer's it says whose it is, which operators may know.
    """
    events = UsageEvent.objects.select_related("membership__user")
    event = events.filter(organization=organization, event_id=event_id).first()
    if event is not None:
        return event
    others = UsageEvent.objects.filter(events_called(event_id))
    other = others.select_related("organization").first()
    if other is None:
        sentence = _("This organization has no event with that ID.")
    else:
        sentence = _("%(event)s belongs to %(other)s, not to %(name)s.") % {
            "event": event_id,
            "other": other.organization.name,
            "name": organization.name,
        }
    raise BusinessError(sentence, code="no_such_event", status=422, field="event")


def carried_by(
    organization: Organization, event: UsageEvent, amount: int, *, now: dt.datetime
) -> list[Effect]:
    """The document that shows the difference, and the balance where that pays it."""
    month_on = open_month(organization, now=now).first_on
    of_balance, billed = _("statement of %(month)s"), _("invoice of %(month)s")
    document = of_balance if event.prepaid else billed
    effects = [Effect(_("Shown on"), document % {"month": month_text(month_on)})]
    if month_on != event.month_on:
        sentence = _("%(month)s is closed and stays as it is.")
        effects.append(Effect(sentence % {"month": month_text(event.month_on)}))
    if event.prepaid:
        effects += balance_effects(organization, -amount, now=now)
    return effects


def exact_text(nanos: int) -> str:
    """In cents, or all places where there are more."""
    if nanos % NANOS_PER_CENT == 0:
        return format_usd(nanos)
    sign = "-" if nanos < 0 else ""
    return f"{sign}${to_decimal_text(abs(nanos)).rstrip('0')}"


def _amount(event: UsageEvent, typed: Typed) -> int:
    """With its sign: all of the cost where it is waived, what operators booked where it
    is to cost again what the prices say.
    """
    if typed["way"] == Way.WAIVE:
        return -cost_with_adjustments(event)
    if typed["way"] == Way.PRICED:
        return -_by_operators(event)
    return _signed(typed)


def _signed(typed: Typed) -> int:
    amount: int = typed["amount"]
    return -amount if typed["way"] == Way.LESS else amount


def _by_operators(event: UsageEvent) -> int:
    booked = event.adjustments.filter(source=AdjustmentSource.OPERATOR)
    return booked.aggregate(sum=Sum("amount_nanos"))["sum"] or 0


def _undo(entry: AuditEntry) -> dict[str, Any] | None:
    """The event costs again what the prices say; None where it does."""
    booked = UsageAdjustment.objects.filter(
        membership=entry.membership,
        organization=entry.organization,
        created_at=entry.at,
        actor_id=entry.actor_id,
        source=AdjustmentSource.OPERATOR,
    )
    adjustment = booked.select_related("event").first()
    if adjustment is None or not _by_operators(adjustment.event):
        return None
    return {"event": adjustment.event.event_id, "way": Way.PRICED}


register(AdjustStep())
register_undo("usage.adjustment", "adjust", _undo)
