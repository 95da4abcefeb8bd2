"""What a blocked member reads: the block, its numbers, its end, and what to do (N2)."""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Tier
from billing.funding.rules.decision import Decision, may_request
from billing.funding.rules.standing import (
    CAP_REASONS,
    Reason,
    Standing,
)
from config.kit.dates import moment_text
from config.kit.money import format_usd

# What no admin can end, whatever they approve.
OWNERS_END = (
    Reason.EXTRA_USAGE_DISABLED,
    Reason.ORGANIZATION_CAP_REACHED,
    Reason.BALANCE_EXHAUSTED,
)


def refusal_message(
    decision: Decision, standing: Standing, *, language: str, now: dt.datetime
) -> str:
    """One or two sentences in `language`; times in the organization's zone, which they
    name.
    """
    with translation.override(language):
        return f"{_what(decision, standing)} {_what_next(decision, standing, now=now)}".strip()


def _what(decision: Decision, standing: Standing) -> str:
    organization = standing.organization
    if decision.reason in CAP_REASONS:
        return _reached_cap(decision, standing)
    values = {"organization": organization.name}
    match decision.reason:
        case Reason.MEMBER_INACTIVE if standing.is_switched_off:
            return _("Your account has been switched off.")
        case Reason.MEMBER_INACTIVE:
            return _("You are no longer a member of %(organization)s.") % values
        case Reason.SEAT_UNASSIGNED:
            return _("You have no seat in %(organization)s.") % values
        case Reason.EXTRA_USAGE_DISABLED:
            return (
                _(
                    "Your included usage is used up, and extra usage is off for"
                    " %(organization)s."
                )
                % values
            )
        case Reason.MEMBER_NOT_ENABLED:
            return _(
                "Your included usage is used up, and extra usage is not enabled for you."
            )
        case Reason.CONFIRMATION_NEEDED:
            return (
                _(
                    "Your included usage is used up, and %(organization)s asks before"
                    " extra usage begins."
                )
                % values
            )
        case _other:
            return _("The extra usage balance of %(organization)s is used up.") % values


def _reached_cap(decision: Decision, standing: Standing) -> str:
    organization = standing.organization
    shared = decision.reason is Reason.ORGANIZATION_CAP_REACHED
    spender = organization if shared else standing
    values = {
        "organization": organization.name,
        "tier": Tier.label_of(standing.seat_tier),
        "spent": format_usd(spender.spent_nanos),
        "cap": format_usd(spender.cap.amount_nanos or 0),
    }
    if organization.has_windows:
        return _reached_cap_of_seat_plan(decision.reason) % values
    return _reached_cap_of_usage_plan(shared=shared) % values


def _reached_cap_of_seat_plan(reason: Reason | None) -> str:
    if reason is Reason.ORGANIZATION_CAP_REACHED:
        return _(
            "Your included usage is used up, and %(organization)s has reached its"
            " spend cap: %(spent)s of %(cap)s this month."
        )
    if reason is Reason.MEMBER_CAP_REACHED:
        return _(
            "Your included usage is used up, and your extra usage has reached your"
            " own cap: %(spent)s of %(cap)s this month."
        )
    return _(
        "Your included usage is used up, and your extra usage has reached the "
        "cap for %(tier)s seats: %(spent)s of %(cap)s this month."
    )


def _reached_cap_of_usage_plan(*, shared: bool) -> str:
    if shared:
        return _(
            "%(organization)s has reached its spend cap: %(spent)s of %(cap)s this"
            " month."
        )
    return _("Your usage has reached your cap: %(spent)s of %(cap)s this month.")


def _what_next(decision: Decision, standing: Standing, *, now: dt.datetime) -> str:
    zone = standing.organization.month.zone
    if standing.is_switched_off:
        return _("Ask an owner of %(organization)s why.") % {
            "organization": standing.organization.name
        }
    if decision.reason in (Reason.MEMBER_INACTIVE, Reason.SEAT_UNASSIGNED):
        return _("Ask an owner for a seat.")
    if decision.reason is Reason.CONFIRMATION_NEEDED:
        return _confirm_or_wait(decision, zone=zone, now=now)
    asks = may_request(standing, decision.reason)
    if decision.resets_at is None:
        if asks:
            return _("You can request more usage.")
        return _("Ask an owner to change this.")
    moment = moment_text(decision.resets_at, zone=zone, now=now, names_zone=True)
    return _or_sooner(standing, decision.reason, asks=asks) % {"moment": moment}


def _or_sooner(standing: Standing, reason: Reason | None, *, asks: bool) -> str:
    """What ends a block before `moment`. Admins give a higher limit or another seat;
    what stops the whole organization takes an owner.
    """
    if asks and reason not in OWNERS_END:
        return _("You can continue %(moment)s, or as soon as an admin approves more.")
    if asks and standing.seat_tier == Tier.STANDARD:
        return _(
            "You can continue %(moment)s, or sooner if an owner changes this or a "
            "Premium seat is approved for you."
        )
    return _("You can continue %(moment)s, or sooner if an owner changes this.")


def _confirm_or_wait(decision: Decision, *, zone: str, now: dt.datetime) -> str:
    """What a member who is asked first can do by themselves (N5)."""
    if decision.resets_at is None:
        return _("Press “Continue with extra usage” on your usage page.")
    moment = moment_text(decision.resets_at, zone=zone, now=now, names_zone=True)
    return _(
        "Press “Continue with extra usage” on your usage page, or wait until your"
        " included usage resets %(moment)s."
    ) % {"moment": moment}
