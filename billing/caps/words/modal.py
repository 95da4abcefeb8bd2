"""What the modal of a cap says: whose it is and what holds, what a tick or “unlimited”
means, and what is true once it is saved.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.models import Tier
from billing.caps.queries.caps import CapTarget
from billing.funding.rules.standing import Cap, CapSource, Standing
from billing.models import CapLevel
from config.kit.dates import long_day_text
from config.kit.money import format_usd
from config.kit.months import next_month


def amount_text(nanos: int | None) -> str:
    """A cap as people read it."""
    return _("Unlimited") if nanos is None else format_usd(nanos)


def target_text(target: CapTarget, cap: Cap, standing: Standing) -> str:
    """Whose cap it is and what it is now."""
    figures = {"cap": amount_text(cap.amount_nanos)}
    match target.level:
        case CapLevel.ORGANIZATION:
            figures["organization"] = target.name
            sentence = _("%(organization)s, the whole organization. Currently %(cap)s.")
        case CapLevel.SEAT_TIER:
            figures["tier"] = target.name
            sentence = _(
                "Each person on a %(tier)s seat without a cap of their own. Currently "
                "%(cap)s."
            )
        case _:
            figures |= {"name": target.name, "seat": Tier.label_of(standing.seat_tier)}
            if not standing.seat_tier:
                sentence = _("%(name)s, no seat. Currently %(cap)s.")
            elif standing.cap_source is CapSource.SEAT_TIER:
                sentence = _(
                    "%(name)s, %(seat)s seat. Currently %(cap)s, from the seat."
                )
            else:
                sentence = _("%(name)s, %(seat)s seat. Currently %(cap)s.")
    return sentence % figures


def month_only_hint(
    target: CapTarget, cap: Cap, standing: Standing, *, ticked: bool
) -> str:
    """What holds again after this month when the amount is for this month only."""
    later_on = next_month(standing.organization.month.first_on)
    figures = {"cap": amount_text(cap.later_nanos), "day": long_day_text(later_on)}
    if cap.later_nanos is None:
        return (
            _("It will be unlimited again from %(day)s.")
            if ticked
            else _("If checked, it will be unlimited again from %(day)s.")
        ) % figures
    if target.level is CapLevel.MEMBER and standing.own_cap.later_nanos is None:
        return (
            _("From %(day)s, the seat cap of %(cap)s applies again.")
            if ticked
            else _("If checked, the seat cap of %(cap)s applies again from %(day)s.")
        ) % figures
    return (
        _("It will be %(cap)s again from %(day)s.")
        if ticked
        else _("If checked, it will be %(cap)s again from %(day)s.")
    ) % figures


def unlimited_hint(seat_cap_nanos: int | None) -> str:
    """What “Set to unlimited” means where a seat cap stands behind a member's (C2)."""
    if seat_cap_nanos is None:
        return ""
    return _("Without their own cap, the seat cap of %(cap)s applies.") % {
        "cap": format_usd(seat_cap_nanos)
    }


def unlimited_label(seat_cap_nanos: int | None, *, this_month_only: bool) -> str:
    """What the button is called that takes a cap away; with a seat's cap behind it, that
    does not make anybody unlimited (C2).
    """
    if seat_cap_nanos is not None:
        return (
            _("Set to unlimited, this month only (the seat cap applies)")
            if this_month_only
            else _("Set to unlimited (the seat cap applies)")
        )
    return (
        _("Set to unlimited, this month only")
        if this_month_only
        else _("Set to unlimited")
    )


def capped_text(target: CapTarget, amount_nanos: int, *, this_month_only: bool) -> str:
    """What is true now that an amount was saved."""
    match target.level, this_month_only:
        case CapLevel.ORGANIZATION, True:
            sentence = _("The organization spend cap is now %(cap)s, this month only.")
        case CapLevel.ORGANIZATION, False:
            sentence = _("The organization spend cap is now %(cap)s.")
        case CapLevel.SEAT_TIER, True:
            sentence = _(
                "The cap for %(tier)s seats is now %(cap)s per person, this month only."
            )
        case CapLevel.SEAT_TIER, False:
            sentence = _("The cap for %(tier)s seats is now %(cap)s per person.")
        case _, True:
            sentence = _("The cap for %(name)s is now %(cap)s, this month only.")
        case _:
            sentence = _("The cap for %(name)s is now %(cap)s.")
    cap = format_usd(amount_nanos)
    return sentence % {"tier": target.name, "name": target.name, "cap": cap}


def uncapped_text(
    target: CapTarget, *, seat_cap_nanos: int | None, this_month_only: bool
) -> str:
    """What is true now that the cap was removed; `seat_cap_nanos` then applies to a
    member.
    """
    figures = {"tier": target.name, "name": target.name}
    match target.level, this_month_only:
        case CapLevel.ORGANIZATION, True:
            return _("The organization spend cap is now unlimited, this month only.")
        case CapLevel.ORGANIZATION, False:
            return _("The organization spend cap is now unlimited.")
        case CapLevel.SEAT_TIER, True:
            return _("%(tier)s seats are now unlimited, this month only.") % figures
        case CapLevel.SEAT_TIER, False:
            return _("%(tier)s seats are now unlimited.") % figures
    if seat_cap_nanos is None:
        return _("%(name)s is now unlimited.") % figures
    return _(
        "%(name)s no longer has a cap of their own; the seat cap of %(cap)s applies."
    ) % {**figures, "cap": format_usd(seat_cap_nanos)}
