"""What a mail says of an organization's cap: how much is used, how fast it goes, when it
would end, and the press that helps.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.notices.mails.reading import (
    MailReader,
    overtaken,
    percent_of,
)
from billing.notices.words import percent_text
from billing.reports.queries.members import MemberFilter, member_counts, member_rows
from billing.reports.rules.projection import lasting_cap
from billing.reports.rules.verdict import State, Verdict
from config.kit.dates import day_text, long_day_text, month_name_text
from config.kit.fields import typed_amount
from config.kit.letters import Bar, Fact, Letter, Press
from config.kit.links import page_url
from config.kit.money import MAX_AMOUNT_NANOS, format_usd
from config.kit.months import next_month

MOST_SPENT = 2


def organization_cap_letter(reader: MailReader) -> Letter:
    """The month as it stands; of a month that is over, how it ended."""
    if reader.is_past:
        return _past(reader)
    verdict = reader.summary.verdict
    cap = verdict.cap_nanos
    if cap is None:
        raise overtaken()
    percent = percent_of(verdict.spent_nanos, cap)
    first, second = _presses(reader, verdict)
    return Letter(
        _title(reader, percent, cap),
        [f"{reader.days_left} {_pace(reader, verdict)}"],
        first,
        "",
        strong=format_usd(verdict.spent_nanos),
        bar=cap_bar(verdict.spent_nanos, cap),
        facts=[
            Fact(_("Left until the cap"), format_usd(verdict.left_nanos)),
            reader.week_fact(),
            *people_facts(reader),
        ],
        second=second,
    )


def cap_bar(spent_nanos: int, cap_nanos: int) -> Bar:
    """What is spent of a cap."""
    percent = percent_of(spent_nanos, cap_nanos)
    return Bar(
        min(100, percent),
        _("Spent %(amount)s") % {"amount": format_usd(spent_nanos)},
        _("Cap %(amount)s") % {"amount": format_usd(cap_nanos)},
        is_over=percent >= 100,
    )


def people_facts(reader: MailReader) -> list[Fact]:
    """Who is paused at a cap of their own, and who spent most; for those who may see
    what each person spends.
    """
    if not reader.sees_people:
        return []
    counts = member_counts(reader.standing)
    facts = [
        Fact(
            _("People paused"),
            _("%(paused)s of %(people)s")
            % {"paused": counts.paused, "people": counts.enabled},
        )
    ]
    rows = member_rows(reader.standing, MemberFilter(), size=MOST_SPENT)
    spent = [
        _("%(name)s, %(amount)s")
        % {"name": row.name or row.email, "amount": format_usd(row.spent_nanos)}
        for row in rows
        if row.spent_nanos > 0
    ]
    if spent:
        then = _("then %(next)s") % {"next": spent[1]} if len(spent) > 1 else ""
        facts.append(Fact(_("Most spent"), spent[0], then))
    return facts


def _title(reader: MailReader, percent: int, cap: int) -> str:
    return _("%(who)s has used %(percent)s of %(limit)s") % {
        "who": reader.organization.name,
        "percent": percent_text(percent),
        "limit": format_usd(cap),
    }


def _pace(reader: MailReader, verdict: Verdict) -> str:
    match verdict.state:
        case State.STOPPED:
            stopped = _(
                "Extra usage is paused for everyone until %(day)s. Included usage goes on."
            )
            if not reader.standing.has_windows:
                stopped = _("Usage is paused for everyone until %(day)s.")
            return stopped % {"day": reader.next_month_day}
        case State.SOON if verdict.stops_on is not None:
            return _stops_early(verdict)
    if not verdict.projected_nanos:
        return _("A projection will appear after the first full day of extra usage.")
    facts = {
        "amount": format_usd(verdict.projected_nanos, cents=False),
        "day": day_text(reader.summary.month.last_on),
        "under": format_usd(verdict.under_nanos, cents=False),
    }
    if not verdict.under_nanos:
        return _("At this pace it will be about %(amount)s on %(day)s.") % facts
    return (
        _(
            "At this pace it will be about %(amount)s on %(day)s, %(under)s under the "
            "cap: nobody needs to stop."
        )
        % facts
    )


def _stops_early(verdict: Verdict) -> str:
    assert verdict.stops_on is not None
    facts = {"day": day_text(verdict.stops_on), "days": verdict.days_early}
    if not verdict.days_early:
        return (
            _("At this pace the cap is reached on %(day)s, the last of the month.")
            % facts
        )
    return (
        ngettext(
            "At this pace the cap is reached on %(day)s, %(days)s day before the month "
            "ends. Then extra usage stops for everyone.",
            "At this pace the cap is reached on %(day)s, %(days)s days before the month "
            "ends. Then extra usage stops for everyone.",
            verdict.days_early,
        )
        % facts
    )


def _presses(reader: MailReader, verdict: Verdict) -> tuple[Press | None, Press | None]:
    """Adjust limit with the amount that would last, first where the pace does not fit."""
    usage = reader.show_usage()
    if not reader.is_owner:
        return usage, None
    amount = _proposed(reader, verdict)
    query = f"?amount={typed_amount(amount).replace(',', '')}" if amount else ""
    link = page_url("organization_cap", reader.organization.slug) + query
    adjust = Press(_("Adjust limit"), link)
    if amount:
        to = format_usd(amount, cents=False)
        adjust = Press(_("Adjust limit to %(amount)s") % {"amount": to}, link)
    if verdict.state is State.FINE:
        return usage, Press(_("Adjust limit"), link)
    return adjust, usage


def _proposed(reader: MailReader, verdict: Verdict) -> int | None:
    """The cap that would last, where this one does not."""
    projection = reader.summary.projection
    if verdict.state is State.FINE or projection is None:
        return None
    lasting = lasting_cap(max(projection.month_end_nanos, verdict.spent_nanos))
    return lasting if lasting <= MAX_AMOUNT_NANOS else None


def _past(reader: MailReader) -> Letter:
    """Crossed by usage that came late: the month's end as it was then."""
    notice = reader.notice
    spent, limit = notice.spent_nanos or 0, notice.limit_nanos or 0
    facts = {
        "who": reader.organization.name,
        "percent": percent_text(percent_of(spent, limit)),
        "limit": format_usd(limit),
        "month": month_name_text(notice.month_on),
        "day": long_day_text(next_month(notice.month_on)),
    }
    return Letter(
        _("%(who)s used %(percent)s of %(limit)s in %(month)s") % facts,
        [
            _(
                "reached by usage that was reported late. That month is over, and it "
                "stops nobody: since %(day)s everything counts from zero."
            )
            % facts
        ],
        reader.show_usage(),
        "",
        strong=format_usd(spent),
        bar=cap_bar(spent, limit),
    )
