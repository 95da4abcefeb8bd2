"""The effect of a typed cap in words: one sentence with the outcome, one with the
numbers, a small bar.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.caps.queries.caps import CapTarget
from billing.caps.queries.effects import (
    MemberEffect,
    OrganizationEffect,
    SeatEffect,
    member_effect,
    organization_effect,
    seat_effect,
)
from billing.caps.words.reloads import reload_warning
from billing.funding.rules.standing import CAP_REASONS, Reason, Standing
from billing.reports.bars import Bar, bar
from billing.reports.queries.members import member_counts
from billing.reports.queries.month import MonthSummary, month_summary
from billing.reports.rules.verdict import State, Verdict
from config.kit.dates import day_text, long_day_text, month_name_text, short_day_text
from config.kit.money import format_usd
from config.kit.months import Month


@dataclass(frozen=True, slots=True)
class Preview:
    """What the preview box says; `stops` when somebody is stopped by saving it."""

    outcome: str
    numbers: str
    stops: bool = False
    bar: Bar | None = None
    spent_nanos: int = 0
    cap_nanos: int = 0


def cap_preview(
    target: CapTarget, standing: Standing, *, amount_nanos: int, now: dt.datetime
) -> Preview:
    """What an amount would do: for a member's cap, the check of their `standing`."""
    organization = standing.organization
    if target.membership is not None:
        return member_preview(
            member_effect(standing, amount_nanos=amount_nanos),
            name=target.membership.user.get_short_name(),
            month=organization.month,
            days_left=organization.month.days_left(now),
        )
    if target.seat_tier is not None:
        effect = seat_effect(
            organization, tier=target.seat_tier, amount_nanos=amount_nanos
        )
        return seat_preview(effect, amount_nanos=amount_nanos)
    summary = month_summary(organization, now=now)
    preview = organization_preview(
        summary,
        organization_effect(summary, amount_nanos=amount_nanos),
        people=member_counts(organization).enabled,
    )
    warning = reload_warning(organization, cap_nanos=amount_nanos)
    return replace(preview, numbers=f"{preview.numbers} {warning}".strip())


def organization_preview(
    summary: MonthSummary, effect: OrganizationEffect, *, people: int
) -> Preview:
    """The running month under another organization cap, and last month's."""
    verdict = effect.verdict
    cap_nanos = verdict.cap_nanos or 0
    stopped = verdict.state is State.STOPPED
    numbers = (
        _stopped_numbers(summary, verdict)
        if stopped
        else f"{_projected(summary, verdict)} {_last_month(summary, effect)}"
    )
    return Preview(
        _organization_outcome(summary, verdict, people=people),
        numbers.strip(),
        stopped,
        bar(
            summary.spent_nanos,
            cap_nanos=cap_nanos,
            projected_nanos=verdict.projected_nanos,
        ),
        summary.spent_nanos,
        cap_nanos,
    )


def _organization_outcome(
    summary: MonthSummary, verdict: Verdict, *, people: int
) -> str:
    figures = {"cap": format_usd(verdict.cap_nanos or 0), "people": people}
    if verdict.state is State.STOPPED:
        return (
            ngettext(
                "At %(cap)s, extra usage stops now for the one person who has it.",
                "At %(cap)s, extra usage stops now for all %(people)d people.",
                people,
            )
            % figures
        )
    if verdict.stops_on:
        return _("At %(cap)s, extra usage stops on %(day)s at this pace.") % {
            **figures,
            "day": day_text(verdict.stops_on),
        }
    if verdict.projected_nanos is None:
        return _("At %(cap)s, %(left)s is left this month.") % {
            **figures,
            "left": format_usd(verdict.left_nanos),
        }
    return _("At %(cap)s, %(month)s stays under the cap.") % {
        **figures,
        "month": month_name_text(summary.month.first_on),
    }


def _stopped_numbers(summary: MonthSummary, verdict: Verdict) -> str:
    day = long_day_text(summary.month.last_on + dt.timedelta(days=1))
    over = verdict.spent_nanos - (verdict.cap_nanos or 0)
    figures = {
        "spent": format_usd(verdict.spent_nanos),
        "over": format_usd(over),
        "day": day,
    }
    if not over:
        return (
            _(
                "%(spent)s is already spent. People can continue when the cap is "
                "raised, or on %(day)s."
            )
            % figures
        )
    return (
        _(
            "%(spent)s is already spent, %(over)s more than this cap. It will still "
            "be billed; people can continue when the cap is raised, or on %(day)s."
        )
        % figures
    )


def _projected(summary: MonthSummary, verdict: Verdict) -> str:
    if verdict.projected_nanos is None:
        return _("%(spent)s spent so far; it's too early to project the month.") % {
            "spent": format_usd(verdict.spent_nanos)
        }
    figures = {
        "projected": format_usd(verdict.projected_nanos, cents=False),
        "day": short_day_text(summary.month.last_on),
        "under": format_usd(verdict.under_nanos, cents=False),
        "over": format_usd(verdict.over_nanos, cents=False),
    }
    if verdict.stops_on:
        return (
            _("Projected: about %(projected)s by %(day)s, %(over)s over the cap.")
            % figures
        )
    return (
        _("Projected: about %(projected)s by %(day)s, %(under)s under the cap.")
        % figures
    )


def _last_month(summary: MonthSummary, effect: OrganizationEffect) -> str:
    figures = {"month": month_name_text(summary.last_month_on)}
    if not summary.last_month_nanos:
        return _("Nothing was spent in %(month)s.") % figures
    if effect.last_month_reached_on is None:
        return _("In %(month)s, no one would have been paused.") % figures
    day = day_text(effect.last_month_reached_on)
    return _("In %(month)s, everyone would have been paused from %(day)s on.") % {
        **figures,
        "day": day,
    }


def seat_preview(effect: SeatEffect, *, amount_nanos: int) -> Preview:
    """Whom a seat cap stops or lets go on now; last month's count is always told."""
    figures = {
        "cap": format_usd(amount_nanos),
        "people": effect.people,
        "stop": effect.stop_now,
        "count": effect.go_on,
        "paused": effect.paused_last_month,
        "most": format_usd(effect.most_spent_nanos),
    }
    outcome = numbers = _paused_last_month(effect)
    if effect.stop_now:
        outcome = _(
            "At %(cap)s, extra usage stops now for %(stop)d of %(people)d people."
        )
        billed = _("What they've spent will still be billed.")
        numbers = f"{billed} {numbers}"
    elif effect.go_on:
        outcome = ngettext(
            "At %(cap)s, %(count)d paused person can continue right away.",
            "At %(cap)s, %(count)d paused people can continue right away.",
            effect.go_on,
        )
    else:
        numbers = _(
            "No one is stopped now: the most anyone has spent this month is %(most)s."
        )
    return Preview(
        outcome % figures,
        numbers % figures,
        effect.stop_now > 0,
        bar(effect.most_spent_nanos, cap_nanos=amount_nanos),
        effect.most_spent_nanos,
        amount_nanos,
    )


def _paused_last_month(effect: SeatEffect) -> str:
    if not effect.paused_last_month:
        return _("At %(cap)s, no one would have been paused last month.")
    return _(
        "At %(cap)s, %(paused)d of %(people)d people would have been paused last month."
    )


def member_preview(
    effect: MemberEffect, *, name: str, month: Month, days_left: int
) -> Preview:
    """One person's next check under the amount, what is left, and what they spent last
    month.
    """
    last_on = (month.first_on - dt.timedelta(days=1)).replace(day=1)
    figures = {
        "name": name,
        "cap": format_usd(effect.amount_nanos),
        "spent": format_usd(effect.spent_nanos),
        "left": format_usd(effect.left_nanos),
        "month": month_name_text(last_on),
        "last": format_usd(effect.last_month_nanos),
        "days": days_left,
        "day": long_day_text(month.last_on + dt.timedelta(days=1)),
    }
    outcome = _member_outcome(effect) % figures
    if effect.is_reached:
        numbers = _(
            "%(spent)s is already spent and will still be billed; %(name)s can "
            "continue when the cap is raised, or on %(day)s."
        )
    else:
        numbers = _days_left(days_left)
    last = _("In %(month)s, %(name)s spent %(last)s.")
    spending_bar = bar(effect.spent_nanos, cap_nanos=effect.amount_nanos)
    stops = effect.before is None and effect.after is not None
    return Preview(
        outcome,
        f"{numbers % figures} {last % figures}",
        stops,
        spending_bar,
        effect.spent_nanos,
        effect.amount_nanos,
    )


def _days_left(days: int) -> str:
    if not days:
        return _(
            "%(spent)s spent; %(left)s would be left for today, the last day of the month."
        )
    return ngettext(
        "%(spent)s spent; %(left)s would be left for %(days)d day.",
        "%(spent)s spent; %(left)s would be left for %(days)d days.",
        days,
    )


def _member_outcome(effect: MemberEffect) -> str:
    if effect.after is None:
        if effect.before is None:
            return _("At %(cap)s, nothing changes for %(name)s.")
        return _("At %(cap)s, %(name)s can continue right away.")
    if effect.after is Reason.MEMBER_CAP_REACHED:
        if effect.before is None:
            return _("At %(cap)s, extra usage stops now for %(name)s.")
        return _("At %(cap)s, %(name)s stays paused.")
    if effect.after in CAP_REASONS:
        return _(
            "At %(cap)s, %(name)s stays paused because the organization cap has been reached."
        )
    return _(
        "At %(cap)s, nothing changes now because extra usage is not enabled for %(name)s."
    )
