"""A prepaid balance in sentences, in the active language: what it makes of the month,
how long it lasts, why auto-reload holds back.

Chosen here alone: pages and mails print them. Times are in the organization's zone.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.funding.rules.standing import OrganizationStanding
from billing.models import SetupStep
from billing.payments.queries.balance import BalanceState, BalanceSummary
from billing.payments.rules.reloading import MOST_A_DAY, Hold, ReloadLimit
from billing.payments.rules.runway import Runway
from billing.reports.queries.members import MemberCounts
from billing.reports.queries.month import MonthSummary
from billing.reports.rules.verdict import State
from billing.reports.words import MonthAnswer, way_on_text
from config.kit.dates import day_text, short_day_text, time_text
from config.kit.money import format_usd
from config.kit.months import Month, next_month


def balance_answer(
    balance: BalanceSummary, summary: MonthSummary, counts: MemberCounts
) -> MonthAnswer | None:
    """The answer of the month where the balance stops extra usage, or will with nothing
    that reloads it.

    None: the cap has the word, since the worst of the two is what is told.
    """
    if summary.verdict.state is State.STOPPED:
        return _both_stop(counts) if balance.state is BalanceState.GONE else None
    if balance.state is BalanceState.GONE:
        headline = ngettext(
            "Extra usage is paused for the one person who has it: the balance is used "
            "up.",
            "Extra usage is paused for all %(people)s people: the balance is used up.",
            counts.enabled,
        ) % {"people": counts.enabled}
        way_on = way_on_text(
            counts,
            _("Buy extra usage and people can continue right away."),
            alone=_(
                "Buying extra usage is not enough: everyone has also reached their own "
                "or their seat's cap."
            ),
        )
        detail = f"{way_on} {hold_text(balance, month=summary.month)}".strip()
        return MonthAnswer("stopped", "player-pause", headline, detail)
    if balance.state in (BalanceState.LOW, BalanceState.DECLINED):
        headline = _stops_when(balance, zone=summary.month.zone)
        return MonthAnswer("stop", "alert-circle", headline, _spend_beside(summary))
    return None


def _both_stop(counts: MemberCounts) -> MonthAnswer:
    """Neither raising the cap nor buying alone lets people go on."""
    headline = ngettext(
        "Extra usage is paused for the one person who has it: the organization cap is "
        "reached, and the balance is used up.",
        "Extra usage is paused for all %(people)s people: the organization cap is "
        "reached, and the balance is used up.",
        counts.enabled,
    ) % {"people": counts.enabled}
    detail = way_on_text(
        counts,
        _("Raise the cap and buy extra usage, and people can continue right away."),
        alone=_(
            "Raising the cap and buying extra usage is not enough: everyone has also "
            "reached their own or their seat's cap."
        ),
    )
    return MonthAnswer("stopped", "player-pause", headline, detail)


def _stops_when(balance: BalanceSummary, *, zone: str) -> str:
    if balance.lasts is None:
        return _("%(left)s of the balance is left, and nothing will reload it.") % {
            "left": format_usd(balance.balance_nanos)
        }
    if balance.lasts.at:
        return _(
            "Extra usage stops at about %(time)s today unless the balance is reloaded."
        ) % {"time": time_text(balance.lasts.at, zone=zone)}
    return _("Extra usage stops around %(day)s unless the balance is reloaded.") % {
        "day": day_text(balance.lasts.on)
    }


def _spend_beside(summary: MonthSummary) -> str:
    """What the cap alone would say of the month."""
    verdict = summary.verdict
    if verdict.cap_nanos is None or not verdict.projected_nanos:
        return _("%(spent)s has been spent this month.") % {
            "spent": format_usd(verdict.spent_nanos)
        }
    if verdict.stops_on:
        return _("The organization spend cap would be reached on %(day)s.") % {
            "day": day_text(verdict.stops_on)
        }
    figures = {
        "amount": format_usd(verdict.projected_nanos, cents=False),
        "under": format_usd(verdict.under_nanos, cents=False),
        "end": short_day_text(summary.month.last_on),
    }
    if not verdict.under_nanos:
        return (
            _("Spend would stay just within the cap: about %(amount)s by %(end)s.")
            % figures
        )
    return (
        _("Spend is on track: about %(amount)s by %(end)s, %(under)s under the cap.")
        % figures
    )


def hold_text(balance: BalanceSummary, *, month: Month) -> str:
    """Why auto-reload does not buy although it should; empty where there is nothing to
    say about it.
    """
    match balance.hold:
        case Hold.MONTHLY_LIMIT:
            return limit_text(balance.limit, month=month) if balance.limit else ""
        case Hold.DAILY_COUNT:
            return _("Auto-reload has bought five times today and resumes tomorrow.")
        case Hold.NO_CARD:
            return _("Auto-reload has no card to charge.")
        case Hold.DISPUTED:
            return _("Auto-reload doesn't buy anything while a payment is disputed.")
        case Hold.CAP_REACHED:
            return _(
                "Auto-reload is on hold because the organization spend cap has been "
                "reached."
            )
        case _:
            return ""


def limit_text(limit: ReloadLimit, *, month: Month) -> str:
    """Why the monthly limit lets auto-reload buy nothing: it is smaller than one reload,
    it is reached, or another reload would pass it.
    """
    figures = {
        "amount": format_usd(limit.amount_nanos),
        "limit": format_usd(limit.limit_nanos),
        "bought": format_usd(limit.bought_nanos),
        "day": day_text(next_month(month.first_on)),
    }
    if not limit.allows_any and limit.is_cap:
        sentence = _(
            "Auto-reload can't buy: one reload of %(amount)s is more than the "
            "organization spend cap of %(limit)s, which also limits reloads. Raise the "
            "cap, set a monthly reload limit, or lower the reload amount."
        )
    elif not limit.allows_any:
        sentence = _(
            "Auto-reload can't buy: one reload of %(amount)s is more than the monthly "
            "reload limit of %(limit)s. Raise the limit or lower the reload amount."
        )
    elif limit.is_reached:
        sentence = _(
            "The monthly reload limit of %(limit)s has been reached. Auto-reload "
            "resumes on %(day)s, or as soon as the limit is raised."
        )
    else:
        sentence = _(
            "Another reload of %(amount)s would pass the monthly reload limit of "
            "%(limit)s (%(bought)s reloaded so far). Auto-reload resumes on %(day)s, or "
            "as soon as the limit is raised."
        )
    return sentence % figures


def hold_mail_text(
    hold: str, standing: OrganizationStanding, *, limit: ReloadLimit | None
) -> tuple[str, list[str]]:
    """The same to owners by mail: title and lines.

    `hold` is the monthly limit or the daily count.
    """
    balance_nanos = standing.balance_nanos or 0
    figures = {
        "name": standing.name,
        "balance": format_usd(balance_nanos),
        "count": MOST_A_DAY,
        "limit": format_usd(limit.limit_nanos if limit else 0),
    }
    if hold == Hold.MONTHLY_LIMIT:
        title = _("The monthly reload limit of %(limit)s has been reached for %(name)s")
        if limit and not limit.is_reached:
            title = _(
                "Auto-reload can't buy for %(name)s: its monthly limit is too low"
            )
        line = _("The balance is %(balance)s.")
        if limit:
            line = f"{limit_text(limit, month=standing.month)} {line}"
    else:
        title = ngettext(
            "Auto-reload bought %(count)d time today for %(name)s and is paused "
            "until tomorrow",
            "Auto-reload bought %(count)d times today for %(name)s and is paused "
            "until tomorrow",
            MOST_A_DAY,
        )
        line = _("The balance is %(balance)s. A larger reload amount lasts longer.")
    return title % figures, [line % figures, _until_then(balance_nanos)]


def _until_then(balance_nanos: int) -> str:
    if balance_nanos <= 0:
        return _(
            "It's used up, so extra usage is paused for everyone until then or until "
            "someone buys more."
        )
    return _(
        "Once it's used up, extra usage pauses for everyone until then or until "
        "someone buys more."
    )


def lasts_text(lasts: Runway, *, left: str, zone: str) -> str:
    """Until when what is `left` of a balance will last."""
    if lasts.at:
        return _("The remaining %(left)s will last until about %(time)s today.") % {
            "left": left,
            "time": time_text(lasts.at, zone=zone),
        }
    return _("The remaining %(left)s will last until about %(day)s.") % {
        "left": left,
        "day": day_text(lasts.on),
    }


def enable_hint(setup_step: SetupStep | None) -> str:
    """What “Enable” leads to: the step where a prepaid flow was left; None where usage
    is billed after the month.
    """
    if setup_step is None:
        return _(
            "Next: set a cap, choose who gets it, confirm. Nothing is turned on until "
            "you confirm."
        )
    if setup_step is SetupStep.PAY:
        return _(
            "Next: payment, auto-reload, a cap, and who gets it. Nothing is turned on "
            "until you confirm."
        )
    return _(
        "Picks up where you left off: %(step)s. Nothing is turned on until you confirm."
    ) % {"step": setup_step.label}
