"""The month in sentences, in the active language: the answer of Settings › Usage, what
the digest says of the month, and why extra usage would help.

Chosen here alone: pages and mails print them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.funding.rules.standing import OrganizationStanding
from billing.reports.queries.members import MemberCounts
from billing.reports.queries.month import MonthSummary
from billing.reports.queries.waits import Waits
from billing.reports.rules.verdict import State, Verdict
from config.kit.dates import day_text, duration_text, short_day_text
from config.kit.money import format_usd
from config.kit.months import next_month


class Offer(StrEnum):
    """What can be done about the answer, as a link."""

    CHOOSE_MEMBERS = "choose_members"
    ASSIGN_SEATS = "assign_seats"
    RAISE_CAP = "raise_cap"


@dataclass(frozen=True, slots=True)
class MonthAnswer:
    """Are we fine this month: one headline, what it rests on, at most one thing to do.

    `tone` and `icon` are names of our styles.
    """

    tone: str
    icon: str
    headline: str
    detail: str = ""
    offer: Offer | None = None
    offer_text: str = ""


def nobody_answer(scope: str, *, can_edit: bool) -> MonthAnswer:
    """Extra usage is on for nobody yet: nobody was selected, or nobody has a seat."""
    headline = _("Extra usage is on, but no one has it yet.")
    detail, offer, offer_text = "", None, ""
    if scope != "selected":
        offer = Offer.ASSIGN_SEATS
        offer_text = _(
            "People need a seat to use it: assign seats on the members page."
        )
    elif can_edit:
        offer = Offer.CHOOSE_MEMBERS
        offer_text = _("Choose the members who get it")
    else:
        detail = _("An owner can choose the members who get it.")
    return MonthAnswer("soon", "alert-triangle", headline, detail, offer, offer_text)


def month_answer(
    summary: MonthSummary,
    counts: MemberCounts,
    *,
    reached_on: dt.date | None,
    lowered_on: dt.date | None,
    can_edit: bool,
) -> MonthAnswer:
    """The answer that the organization's cap gives.

    `reached_on`: when a month that is stopped reached its cap; `lowered_on`: when the
    cap was set below what was spent.
    """
    match summary.verdict.state:
        case State.STOPPED:
            return _stopped(
                summary, counts, reached_on=reached_on, lowered_on=lowered_on
            )
        case State.SOON:
            return _stops_soon(summary.verdict, can_edit=can_edit)
        case State.UNLIMITED:
            return _unlimited(summary, counts)
        case _:
            return _fine(summary)


def _stopped(
    summary: MonthSummary,
    counts: MemberCounts,
    *,
    reached_on: dt.date | None,
    lowered_on: dt.date | None,
) -> MonthAnswer:
    headline = ngettext(
        "Extra usage is paused for the one person who has it until %(day)s.",
        "Extra usage is paused for all %(people)s people until %(day)s.",
        counts.enabled,
    ) % {
        "people": counts.enabled,
        "day": short_day_text(next_month(summary.month.first_on)),
    }
    cap = format_usd(summary.verdict.cap_nanos or 0)
    if lowered_on:
        why = _("The cap was set to %(cap)s on %(day)s, below what was spent.") % {
            "cap": cap,
            "day": day_text(lowered_on),
        }
    elif reached_on:
        why = _("The organization cap was reached on %(day)s.") % {
            "day": day_text(reached_on)
        }
    else:
        why = _("The organization cap of %(cap)s doesn't allow any.") % {"cap": cap}
    way_on = way_on_text(
        counts,
        _("Raise it and people can continue right away."),
        alone=_(
            "Raising it is not enough: everyone has also reached their own or their "
            "seat's cap."
        ),
    )
    return MonthAnswer("stopped", "player-pause", headline, f"{why} {way_on}")


def way_on_text(counts: MemberCounts, sentence: str, *, alone: str) -> str:
    """What lets people go on, as `sentence` says, and whom their own cap stops all the
    same; `alone` instead where that is everyone.
    """
    stuck = counts.at_own_cap
    if not stuck:
        return sentence
    if stuck >= counts.enabled:
        return alone
    but = ngettext(
        "%(people)s of them stays paused, having also reached their own or their seat's "
        "cap.",
        "%(people)s of them stay paused, having also reached their own or their seat's "
        "cap.",
        stuck,
    ) % {"people": stuck}
    return f"{sentence} {but}"


def _stops_soon(verdict: Verdict, *, can_edit: bool) -> MonthAnswer:
    assert verdict.stops_on is not None
    headline = _("At this pace, extra usage stops on %(day)s.") % {
        "day": day_text(verdict.stops_on)
    }
    if verdict.days_early:
        detail = ngettext(
            "The organization cap will be reached %(days)s day before the month ends.",
            "The organization cap will be reached %(days)s days before the month ends.",
            verdict.days_early,
        ) % {"days": verdict.days_early}
    else:
        detail = _("The organization cap will be reached on the last day of the month.")
    offer, offer_text = None, ""
    if verdict.lasting_nanos:
        lasting = _("About %(amount)s would last the month") % {
            "amount": format_usd(verdict.lasting_nanos, cents=False)
        }
        if can_edit:
            offer, offer_text = Offer.RAISE_CAP, lasting
        else:
            detail = f"{detail} {lasting}."
    return MonthAnswer("soon", "alert-triangle", headline, detail, offer, offer_text)


def _unlimited(summary: MonthSummary, counts: MemberCounts) -> MonthAnswer:
    headline = _("No organization cap is set.")
    if summary.verdict.projected_nanos:
        headline = _(
            "About %(projected)s by %(end)s. No organization cap is set."
        ) % _projected(summary)
    detail = ""
    if counts.uncapped:
        detail = ngettext(
            "%(people)s person has no cap of their own either.",
            "%(people)s people have no cap of their own either.",
            counts.uncapped,
        ) % {"people": counts.uncapped}
    elif counts.enabled:
        detail = _(
            "Each person's cap still applies: at most %(most)s if everyone reaches "
            "theirs."
        ) % {"most": format_usd(counts.capped_nanos, cents=False)}
    return MonthAnswer("unlimited", "infinity", headline, detail)


def _fine(summary: MonthSummary) -> MonthAnswer:
    verdict, detail = summary.verdict, ""
    if verdict.projected_nanos and not verdict.under_nanos:
        sentence = _("Just within the cap: about %(projected)s by %(end)s.")
        headline = sentence % _projected(summary)
    elif verdict.projected_nanos:
        sentence = _(
            "On track: about %(projected)s by %(end)s, %(under)s under the cap."
        )
        headline = sentence % _projected(summary)
    elif verdict.spent_nanos:
        headline = _("%(left)s is left until the cap.") % {
            "left": format_usd(verdict.left_nanos)
        }
        detail = _("A projection will appear after the first full day of extra usage.")
    else:
        headline = _("No extra usage yet this month.")
        detail = _("The full cap of %(cap)s is left.") % {
            "cap": format_usd(verdict.cap_nanos or 0)
        }
    return MonthAnswer("fine", "circle-check", headline, detail)


def _projected(summary: MonthSummary) -> dict[str, str]:
    verdict = summary.verdict
    return {
        "projected": format_usd(verdict.projected_nanos or 0, cents=False),
        "under": format_usd(verdict.under_nanos, cents=False),
        "end": short_day_text(summary.month.last_on),
    }


def month_so_far(standing: OrganizationStanding, verdict: Verdict) -> str:
    """The month beside waiting requests: what is spent, and what stands in the way of
    higher limits.
    """
    figures = {"name": standing.name, "spent": format_usd(standing.spent_nanos)}
    if verdict.cap_nanos is None:
        spent = _("%(name)s has spent %(spent)s this month; its cap is unlimited.")
    else:
        figures["cap"] = format_usd(verdict.cap_nanos)
        spent = _("%(name)s has spent %(spent)s of %(cap)s this month.")
    sentences = [spent % figures]
    if verdict.state is State.SOON and verdict.stops_on:
        sentences.append(
            _("At this pace, the cap will be reached on %(day)s.")
            % {"day": day_text(verdict.stops_on)}
        )
    elif verdict.state is State.STOPPED:
        sentences.append(
            _(
                "The cap has been reached: higher limits take effect only once an "
                "owner raises it."
            )
        )
    if not standing.is_on:
        sentences.append(
            _(
                "Extra usage is off: an owner must enable it before a limit can be "
                "increased."
            )
        )
    return " ".join(sentences)


def ran_out_text(waits: Waits, *, was_on: bool) -> str:
    """Who ran out of included usage this month; how long they waited, unless extra
    usage was on for part of it.
    """
    if not waits.people:
        return _("No one has run out of included usage this month.")
    if was_on:
        sentence = ngettext(
            "%(people)s person ran out of included usage this month.",
            "%(people)s people ran out of included usage this month.",
            waits.people,
        )
    else:
        sentence = ngettext(
            "%(people)s person ran out of included usage this month and waited "
            "%(wait)s on average.",
            "%(people)s people ran out of included usage this month and waited "
            "%(wait)s on average.",
            waits.people,
        )
    return sentence % {"people": waits.people, "wait": duration_text(waits.average)}


def why_enable(waits: Waits, standing: OrganizationStanding) -> str:
    """What extra usage would change, and how it is paid: before, out of a balance, or
    after the month.
    """
    if standing.spent_nanos > 0:
        return _was_on(standing)
    if standing.is_prepaid and waits.people:
        return _(
            "With extra usage, they can continue at API rates instead, up to caps you "
            "set. You pay in advance, from a balance you buy."
        )
    if standing.is_prepaid:
        return _(
            "If someone does, extra usage lets them continue at API rates, up to caps "
            "you set. You pay in advance, from a balance you buy."
        )
    if waits.people:
        return _(
            "With extra usage, they can continue at API rates instead, up to caps you "
            "set. You pay only for what is used beyond the seats, after the month ends."
        )
    return _(
        "If someone does, extra usage lets them continue at API rates, up to caps you "
        "set. You pay only for what is used beyond the seats, after the month ends."
    )


def _was_on(standing: OrganizationStanding) -> str:
    if standing.is_prepaid:
        sentence = _(
            "Extra usage was on for part of the month, and %(spent)s was deducted from "
            "the balance. While it's off, people have to wait for their reset."
        )
    else:
        sentence = _(
            "Extra usage was on for part of the month; the %(spent)s spent will still "
            "be billed. While it's off, people have to wait for their reset."
        )
    return sentence % {"spent": format_usd(standing.spent_nanos)}
