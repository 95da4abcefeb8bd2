"""What a blocked member reads: the block, its numbers, its end, and what to do (N2)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Tier
from billing.funding.rules.decision import Decision, may_request
from billing.funding.rules.layers import Layer, LayerState, WhoCanChange
from billing.funding.rules.standing import (
    CAP_REASONS,
    CapSource,
    Reason,
    Standing,
    WindowState,
)
from config.kit.dates import duration_text, moment_label, moment_text
from config.kit.money import format_usd, whole_percent

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


@dataclass(frozen=True, slots=True)
class LayerWords:
    """One layer of "Why am I blocked?" in words."""

    layer: Layer
    name: str
    source: str
    used: str
    resets: str
    who: str

    @property
    def flag(self) -> str:
        """The flag beside its name; exactly one layer blocks."""
        if self.layer.state is LayerState.BLOCKS:
            return _("Blocking you")
        is_window = self.layer.kind in ("session", "week")
        if is_window and self.layer.state is LayerState.USED_UP:
            return _("Used up")
        return ""


def layer_words(layer: Layer, standing: Standing, *, now: dt.datetime) -> LayerWords:
    """A layer as the page tells it; times in the organization's zone."""
    return LayerWords(
        layer,
        _layer_name(layer, standing),
        _layer_source(layer, standing),
        _layer_used(layer),
        _layer_resets(layer, zone=standing.organization.month.zone, now=now),
        _who_text(layer.who),
    )


def window_name(window: WindowState) -> str:
    """`Session, 5 hours`, `Week, 7 days`."""
    values = {"length": length_text(window.length)}
    if window.name == "session":
        return _("Session, %(length)s") % values
    return _("Week, %(length)s") % values


def length_text(length: dt.timedelta) -> str:
    """Whole days or hours written out: `7 days`, `5 hours`."""
    hours, rest = divmod(int(length.total_seconds()), 3600)
    if rest:
        return duration_text(length)
    if hours % 24:
        return ngettext("%(hours)d hour", "%(hours)d hours", hours) % {"hours": hours}
    return ngettext("%(days)d day", "%(days)d days", hours // 24) % {
        "days": hours // 24
    }


def _layer_name(layer: Layer, standing: Standing) -> str:
    windows = {window.name: window for window in standing.windows}
    if layer.kind in windows:
        return window_name(windows[layer.kind])
    match layer.kind:
        case "extra_usage":
            return _("Extra usage")
        case "member_cap":
            return _("Your cap")
        case "organization_cap":
            return _("Organization cap")
        case "balance":
            return _("Balance")
        case _other:
            return _("Your seat")


def _layer_source(layer: Layer, standing: Standing) -> str:
    match layer.kind:
        case "session" | "week":
            return _("included usage")
        case "extra_usage":
            return {
                "everyone": _("on for everyone"),
                "selected": _("on for selected members"),
            }.get(layer.source, _("off for everyone"))
        case "member_cap":
            return cap_source_text(standing)
        case "seat":
            return _seat_source(standing)
        case _other:
            return _("shared by everyone")


def _seat_source(standing: Standing) -> str:
    if standing.is_switched_off:
        return _("account switched off")
    return _("none assigned") if standing.is_active else _("removed")


def cap_source_text(standing: Standing) -> str:
    """Where a member's effective cap comes from."""
    match standing.cap_source:
        case CapSource.MEMBER:
            if standing.cap.month_only:
                return _("set for you, this month only")
            return _("set for you")
        case CapSource.SEAT_TIER:
            values = {"tier": Tier.label_of(standing.seat_tier)}
            if standing.cap.month_only:
                return _("from the %(tier)s seat, this month only") % values
            return _("from the %(tier)s seat") % values
        case _other:
            return _("none set")


def _layer_used(layer: Layer) -> str:
    if layer.kind in ("session", "week"):
        percent = whole_percent(layer.spent_nanos or 0, layer.limit_nanos or 0)
        return f"{percent}%"
    if layer.kind == "extra_usage":
        return _switch_text(layer)
    if layer.spent_nanos is None:
        return "–"
    values = {
        "spent": format_usd(layer.spent_nanos),
        "cap": format_usd(layer.limit_nanos or 0),
    }
    if layer.kind == "balance":
        return values["spent"]
    if layer.limit_nanos is None:
        return _("%(spent)s, unlimited") % values
    return _("%(spent)s of %(cap)s") % values


def _switch_text(layer: Layer) -> str:
    if layer.state is LayerState.OK:
        return _("On")
    if layer.source == "off":
        return _("Off")
    return _("Not for you")


def _layer_resets(layer: Layer, *, zone: str, now: dt.datetime) -> str:
    if layer.resets_at is None:
        return "–"
    return moment_label(layer.resets_at, zone=zone, now=now)


def _who_text(who: WhoCanChange) -> str:
    return {
        WhoCanChange.NOBODY: _("No one; it resets"),
        WhoCanChange.OWNERS: _("Owners"),
        WhoCanChange.OWNERS_ADMINS_ON_REQUEST: _("Owners; admins on request"),
    }[who]
