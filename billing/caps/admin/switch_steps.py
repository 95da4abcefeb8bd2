"""Stopping a customer's extra usage at once, and letting it go on: by the owners' own
switch, or on usage-based plans, which have none, by a cap of $0.00.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actions.audit import Actor
from accounts.admin.steps import Preview, ReasonForm, Step, Typed, register
from accounts.admin.steps.base import refuse_no_change
from accounts.models import AuditEntry, Organization, Plan
from accounts.panels import Effect, register_undo
from billing.caps.actions.caps import set_organization_cap
from billing.caps.actions.switch import check_balance, set_extra_usage
from billing.funding.queries import organization_standing
from billing.models import BillingAccount, MemberMonth
from config.kit.money import format_usd

OFF, ON = "extra-usage-off", "extra-usage-on"


class SwitchStep(Step):
    """What both share: the switch, whose permission is the account's."""

    group, permission, form = "money", "billing.change_billingaccount", ReasonForm


class StopStep(SwitchStep):
    name, icon, order, is_danger = OFF, "player-pause", 30, True
    label = gettext_lazy("Stop extra usage")
    foot = gettext_lazy(
        "Balance, caps and history stay. Owners can turn it on again: tell them why."
    )

    def why_not(self, organization: Organization) -> str:
        """Where it is off already."""
        if organization.plan == Plan.ENTERPRISE_USAGE:
            return ""
        is_on = _account(organization).extra_usage_enabled
        return "" if is_on else _("Extra usage is off.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """Who is stopped, and what of money stops with them."""
        refuse_no_change(not self.why_not(organization), "reason")
        title = _("Nobody at %(name)s could spend more from the next request on.")
        effects = [*_off_effects(organization, now), *_people(organization, now)]
        effects += self.effects(organization, typed, now)
        button = _("Stop extra usage")
        return Preview(title % {"name": organization.name}, effects, button=button)

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act of owners."""
        if organization.plan == Plan.ENTERPRISE_USAGE:
            set_organization_cap(organization, amount_nanos=0, actor=actor, now=now)
            return _("The spend cap of %(name)s is now $0.00.") % {
                "name": organization.name
            }
        set_extra_usage(organization, enabled=False, actor=actor, now=now)
        return _("Extra usage of %(name)s is off.") % {"name": organization.name}


class GoOnStep(SwitchStep):
    name, icon, order = ON, "circle-check", 31
    label = gettext_lazy("Turn extra usage on")
    foot = gettext_lazy("For the same people and with the same caps as before.")

    def why_not(self, organization: Organization) -> str:
        """Where there is no switch, or it is on."""
        if organization.plan == Plan.ENTERPRISE_USAGE:
            return _("Usage-based plans have no switch; owners set their cap.")
        is_on = _account(organization).extra_usage_enabled
        return _("Extra usage is on.") if is_on else ""

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """For whom, and how much is left to spend."""
        refuse_no_change(not self.why_not(organization), "reason")
        account = _account(organization)
        check_balance(organization, account, enabled=True)
        cap_nanos = organization_standing(organization.pk, now=now).cap.amount_nanos
        cap = _("Unlimited") if cap_nanos is None else format_usd(cap_nanos)
        effects = [
            Effect(_("Extra usage"), _("Off"), _("On")),
            Effect(_("For whom"), str(account.get_scope_display())),
            Effect(_("Organization spend cap"), cap, is_warning=cap_nanos is None),
            *_asked_first(account),
            *self.effects(organization, typed, now),
        ]
        title = _("People at %(name)s could spend again from the next request on.")
        button = _("Turn extra usage on")
        return Preview(title % {"name": organization.name}, effects, button=button)

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act of owners, which refuses it without a balance where one is needed."""
        set_extra_usage(organization, enabled=True, actor=actor, now=now)
        return _("Extra usage of %(name)s is on.") % {"name": organization.name}


def _account(organization: Organization) -> BillingAccount:
    found = BillingAccount.objects.filter(organization=organization).first()
    return found or BillingAccount(organization=organization)


def _asked_first(account: BillingAccount) -> Iterator[Effect]:
    if account.confirmation_required:
        asked = _("Members are asked first")
        yield Effect(_("Before extra usage begins"), asked)


def _off_effects(organization: Organization, now: dt.datetime) -> Iterator[Effect]:
    account, standing = (
        _account(organization),
        organization_standing(organization.pk, now=now),
    )
    if organization.plan == Plan.ENTERPRISE_USAGE:
        cap = standing.cap.amount_nanos
        before = _("Unlimited") if cap is None else format_usd(cap)
        yield Effect(_("Organization spend cap"), before, format_usd(0))
    else:
        yield Effect(_("Extra usage"), _("On"), _("Off"))
    spent = format_usd(standing.spent_nanos)
    yield Effect(_("Spent this month, stays as it is"), spent)
    if account.auto_reload_enabled:
        yield Effect(_("Auto-reload"), _("On"), _("waits while it is off"))


def _people(organization: Organization, now: dt.datetime) -> Iterator[Effect]:
    """Who is stopped: counted by those who spent this month."""
    month_on = organization.calendar.month_at(now).first_on
    spenders = MemberMonth.objects.filter(
        membership__organization=organization, month_on=month_on, extra_nanos__gt=0
    ).count()
    active = organization.memberships.enabled().count()
    words = {"spenders": f"{spenders:,}", "active": f"{active:,}"}
    sentence = ngettext(
        "%(spenders)s of %(active)s people spent this month; they are stopped, or wait "
        "for the reset of what their seat includes.",
        "%(spenders)s of %(active)s people spent this month; they are stopped, or wait "
        "for the reset of what their seat includes.",
        active,
    )
    yield Effect(sentence % words, is_warning=True)


def _was_switched_off(entry: AuditEntry) -> Typed | None:
    before, after = entry.from_value, entry.to_value
    if not isinstance(before, dict) or not isinstance(after, dict):
        return None
    return {} if before.get("enabled") and not after.get("enabled") else None


register(StopStep(), GoOnStep())
register_undo("extra_usage.switch", ON, _was_switched_off)
