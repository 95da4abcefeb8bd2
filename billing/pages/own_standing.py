"""Where a member stands, for the page: verdict, time line of what comes back, windows,
own cap, layers. Reads only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Membership, Role
from billing.funding.rules.decision import Decision
from billing.funding.rules.layers import Layer, LayerState, layers
from billing.funding.rules.standing import CAP_REASONS, CapSource, Standing, WindowState
from billing.funding.words import LayerWords, layer_words, refusal_message, window_name
from billing.notices.queries.choices import percents_of, settings_of
from billing.notices.words.banners import Banner, own_banner
from billing.reports.bars import Bar, row_bar
from config.kit.dates import moment_label, time_text
from config.kit.money import format_usd, percent_spent, whole_percent
from config.kit.months import local_day

OWNERS_NAMED = 3
ICONS = {
    LayerState.OK: "circle-check",
    LayerState.USED_UP: "clock",
    LayerState.BLOCKS: "circle-x",
}


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One included window as the page shows it; `percent` is whole, 100 only when used up."""

    kind: str
    name: str
    percent: int
    bar: Bar | None
    opened: str
    resets_in: dt.timedelta | None


def standing_context(
    membership: Membership, standing: Standing, decision: Decision, *, now: dt.datetime
) -> dict[str, Any]:
    """Everything the part that refreshes by itself shows, but the split by surface."""
    month = standing.organization.month
    return {
        "organization": membership.organization,
        "membership": membership,
        "standing": standing,
        "decision": decision,
        "month": month,
        "zone": month.zone,
        "now": now,
        "today": month.day_of(now),
        "days_left": month.days_left(now),
        "until_month": month.end - now,
        "windows": window_rows(standing, now=now),
        "layers": _layer_rows(standing, decision, now=now),
        "notice_banner": _notice_banner(membership, standing, decision, now=now),
        **_cap_context(standing),
        **(
            {}
            if decision.allowed
            else _blocked_context(membership, standing, decision, now=now)
        ),
    }


def _notice_banner(
    membership: Membership, standing: Standing, decision: Decision, *, now: dt.datetime
) -> Banner | None:
    percents = percents_of(settings_of(membership.organization_id))
    return own_banner(
        standing,
        decision,
        member_percents=percents.member,
        included_percents=percents.included,
        now=now,
    )


def _cap_context(standing: Standing) -> dict[str, Any]:
    amount = standing.cap.amount_nanos
    return {
        "cap_nanos": amount,
        "cap_percent": None
        if amount is None
        else percent_spent(standing.spent_nanos, amount),
        "cap_bar": row_bar(standing.spent_nanos, cap_nanos=amount),
        "cap_month_only": standing.cap.month_only,
        "own_cap": standing.cap_source is CapSource.MEMBER,
        "seat_cap": standing.cap_source is CapSource.SEAT_TIER,
        "shows_extra": standing.is_enabled or standing.spent_nanos > 0,
    }


def _blocked_context(
    membership: Membership, standing: Standing, decision: Decision, *, now: dt.datetime
) -> dict[str, Any]:
    zone = standing.organization.month.zone
    return {
        "message": refusal_message(
            decision, standing, language=get_language() or "en", now=now
        ),
        "paused_until": moment_label(decision.resets_at, zone=zone, now=now)
        if decision.resets_at
        else "",
        "timeline": _timeline(standing, decision, now=now),
        "is_owner": membership.is_at_least(Role.OWNER),
        "owners": _owners(membership),
        "has_seat": standing.seat_tier is not None,
    }


def _owners(membership: Membership) -> list[str]:
    """Whom to ask: the first owners, by name; nobody for an owner, who can act."""
    if membership.is_at_least(Role.OWNER):
        return []
    owners = (
        Membership.objects.owners()
        .filter(organization=membership.organization)
        .select_related("user")
    )
    return [str(owner.user) for owner in owners.order_by("pk")[:OWNERS_NAMED]]


def window_rows(standing: Standing, *, now: dt.datetime) -> list[WindowRow]:
    """The included windows."""
    zone = standing.organization.month.zone
    return [_window_row(window, zone=zone, now=now) for window in standing.windows]


def _window_row(window: WindowState, *, zone: str, now: dt.datetime) -> WindowRow:
    return WindowRow(
        kind=window.name,
        name=window_name(window),
        percent=whole_percent(window.used_nanos, window.limit_nanos),
        bar=row_bar(window.used_nanos, cap_nanos=window.limit_nanos),
        opened=_opened(window.opened_at, zone=zone, now=now)
        if window.opened_at
        else "",
        resets_in=window.resets_at - now if window.resets_at else None,
    )


def _opened(moment: dt.datetime, *, zone: str, now: dt.datetime) -> str:
    """`10:40` on the same day, else with its day."""
    if local_day(moment, zone) == local_day(now, zone):
        return time_text(moment, zone=zone)
    return moment_label(moment, zone=zone, now=now)


def _layer_rows(
    standing: Standing, decision: Decision, *, now: dt.datetime
) -> list[tuple[LayerWords, str]]:
    """The layers in words with their icons; caps and balance say nothing where extra
    usage is not on.
    """
    return [
        (layer_words(layer, standing, now=now), _icon(layer))
        for layer in layers(standing, decision.reason)
        if standing.is_enabled or not _is_money(layer)
    ]


def _icon(layer: Layer) -> str:
    """A clock means it comes back by itself; the switch does not."""
    is_off = layer.kind == "extra_usage" and layer.state is LayerState.USED_UP
    return "lock" if is_off else ICONS[layer.state]


def _is_money(layer: Layer) -> bool:
    return layer.kind in ("member_cap", "organization_cap", "balance", "confirmation")


def _timeline(
    standing: Standing, decision: Decision, *, now: dt.datetime
) -> list[tuple[str, str]]:
    """What comes back when, the next first, and with which of it the person can go on."""
    steps = [
        (window.resets_at, _window_resets(window))
        for window in standing.windows
        if window.resets_at
    ]
    if standing.is_enabled and decision.reason in CAP_REASONS:
        steps.append((standing.organization.month.end, _month_starts(standing)))
    zone = standing.organization.month.zone
    return [
        (
            moment_label(moment, zone=zone, now=now),
            _with_outcome(sentence, goes_on=moment == decision.resets_at),
        )
        for moment, sentence in sorted(steps)
    ]


def _window_resets(window: WindowState) -> str:
    return (
        _("Session resets.") if window.name == "session" else _("Weekly usage resets.")
    )


def _month_starts(standing: Standing) -> str:
    later = standing.next_cap_nanos
    if later is None:
        return _("A new month of extra usage starts at $0.00.")
    return _("Extra usage starts again at $0.00 of %(cap)s.") % {
        "cap": format_usd(later)
    }


def _with_outcome(sentence: str, *, goes_on: bool) -> str:
    return _("%(what)s You can continue.") % {"what": sentence} if goes_on else sentence
