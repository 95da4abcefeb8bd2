"""What a mail says to a member of their own cap and included usage: what is used, what
stops, until when, and what they can do (N2, N5).
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from billing.funding.rules.decision import Decision, decide, may_request
from billing.funding.rules.standing import WindowState
from billing.funding.words import refusal_message, window_name
from billing.models import NoticeKind, WindowName
from billing.notices.mails.about_organization import cap_bar
from billing.notices.mails.reading import (
    MailReader,
    overtaken,
    percent_of,
)
from billing.notices.words import percent_text
from billing.reports.queries.own import own_month
from billing.reports.rules.projection import Projection, project
from config.kit.dates import day_text, moment_label, moment_text
from config.kit.letters import Bar, Fact, Letter, Press
from config.kit.links import page_url
from config.kit.money import format_usd

REACHED = 100
CONFIRMATION_NEEDED = "confirmation_needed"


def own_cap_letter(reader: MailReader) -> Letter:
    """How much of their cap a member has used, and what happens at its end."""
    person = reader.person
    cap = person.cap.amount_nanos
    if cap is None or reader.is_past:
        raise overtaken()
    percent = percent_of(person.spent_nanos, cap)
    decision = decide(person)
    lines = [f"{reader.days_left} {_own_pace(reader, cap)}"]
    if percent >= REACHED:
        lines = [
            reader.days_left,
            _stopped_by_cap(reader, decision),
            _("The request that crosses a cap is finished and charged whole."),
        ]
    return Letter(
        _("You have used %(percent)s of your %(limit)s")
        % {"percent": percent_text(percent), "limit": format_usd(cap)},
        lines,
        _press(reader, decision),
        "",
        strong=format_usd(person.spent_nanos),
        bar=cap_bar(person.spent_nanos, cap),
        facts=[
            Fact(
                _("Left until your cap"), format_usd(max(0, cap - person.spent_nanos))
            ),
            Fact(_("Counts from zero"), reader.next_month_day),
            *(_window_fact(reader, window) for window in person.windows),
        ],
    )


def included_letter(reader: MailReader) -> Letter:
    """How much of a window is used, when it resets, and who pays then."""
    window = _window(reader)
    person, zone = reader.person, reader.standing.month.zone
    percent = percent_of(window.used_nanos, window.limit_nanos)
    decision = decide(person)
    assert window.resets_at is not None
    resets = _("It resets %(moment)s.") % {
        "moment": moment_text(window.resets_at, zone=zone, now=reader.now)
    }
    if percent >= REACHED:
        text = _refusal(reader, decision) or _goes_on(reader)
    else:
        text = f"{resets} {_what_then(reader)}"
    title = _("You have used %(percent)s of this session’s included usage")
    if window.name == WindowName.WEEK:
        title = _("You have used %(percent)s of this week’s included usage")
    return Letter(
        title % {"percent": percent_text(percent)},
        [text],
        _press(reader, decision),
        "",
        bar=Bar(
            min(REACHED, percent),
            _("Used %(percent)s") % {"percent": percent_text(percent)},
            resets,
            is_over=percent >= REACHED and not decision.allowed,
        ),
        facts=[_window_fact(reader, one) for one in person.windows]
        + _cap_facts(reader),
    )


def changeover_letter(reader: MailReader) -> Letter:
    """Included usage is used up, and extra usage begins, or would once they say yes."""
    _window(reader)
    person = reader.person
    decision = decide(person)
    title = _("You go on with extra usage")
    text = _goes_on(reader)
    press = _press(reader, decision)
    if _is_asked(decision):
        title = _("Your included usage is used up: go on with extra usage?")
        press = Press(_("Continue with extra usage"), press.link)
        text = _("Nothing is charged before you say yes. %(goes_on)s") % {
            "goes_on": text
        }
    elif not decision.allowed:
        raise overtaken()
    return Letter(
        title,
        [text],
        press,
        "",
        facts=[_window_fact(reader, one) for one in person.windows]
        + _cap_facts(reader),
    )


def _window(reader: MailReader) -> WindowState:
    """The window that the notice is about, while it is the one that is open."""
    for window in reader.person.windows:
        if window.name == reader.notice.window:
            is_same = window.resets_at == reader.notice.resets_at
            if is_same and window.resets_at and reader.now < window.resets_at:
                return window
    raise overtaken()


def _own_pace(reader: MailReader, cap: int) -> str:
    projection = _own_projection(reader)
    stops_on = projection.reaches_on(cap) if projection else None
    paused = _(
        "At the cap extra usage pauses for you until %(day)s; included usage goes on."
    )
    if not reader.standing.has_windows:
        paused = _("At the cap usage pauses for you until %(day)s.")
    then = paused % {"day": reader.next_month_day}
    if stops_on is None:
        return then
    pace = _("At this pace the cap is reached on %(day)s.") % {
        "day": day_text(stops_on)
    }
    return f"{pace} {then}"


def _own_projection(reader: MailReader) -> Projection | None:
    month = reader.standing.month
    by_day: dict = {}
    for split in own_month(reader.person.membership_id, month=month, by="surface"):
        for day, nanos in split.by_day.items():
            by_day[day] = by_day.get(day, 0) + nanos
    return project(
        by_day,
        spent_nanos=reader.person.spent_nanos,
        today=month.day_of(reader.now),
        last_on=month.last_on,
    )


def _stopped_by_cap(reader: MailReader, decision: Decision) -> str:
    refused = _refusal(reader, decision)
    if refused:
        return refused
    return _(
        "You can go on with included usage. Once that is used up you wait until it "
        "resets, or until %(day)s for extra usage."
    ) % {"day": reader.next_month_day}


def _refusal(reader: MailReader, decision: Decision) -> str:
    """The sentence that a check would answer; empty where it would not refuse."""
    if decision.allowed:
        return ""
    person = reader.person
    return refusal_message(decision, person, language=person.language, now=reader.now)


def _what_then(reader: MailReader) -> str:
    """Who pays once included usage is used up."""
    if reader.person.is_enabled:
        return _(
            "Once it is used up, extra usage begins: %(name)s pays at API rates."
        ) % {"name": reader.organization.name}
    return _("Once it is used up, you wait until it resets.")


def _goes_on(reader: MailReader) -> str:
    person, zone = reader.person, reader.standing.month.zone
    facts = {"name": reader.organization.name}
    paid = _("%(name)s pays for it at API rates.") % facts
    resets_at = person.included_resets_at
    if resets_at is None:
        return paid
    facts["moment"] = moment_text(resets_at, zone=zone, now=reader.now)
    return (
        _(
            "Your included usage is used up and resets %(moment)s. Until then you go on "
            "with extra usage; %(name)s pays for it at API rates."
        )
        % facts
    )


def _cap_facts(reader: MailReader) -> list[Fact]:
    person = reader.person
    spent = format_usd(person.spent_nanos)
    if person.cap.amount_nanos is None:
        return [Fact(_("Extra usage this month"), spent)]
    return [
        Fact(
            _("Extra usage this month"),
            _("%(spent)s of %(cap)s")
            % {"spent": spent, "cap": format_usd(person.cap.amount_nanos)},
        )
    ]


def _window_fact(reader: MailReader, window: WindowState) -> Fact:
    percent = percent_of(window.used_nanos, window.limit_nanos)
    resets = ""
    if window.resets_at is not None:
        resets = _("resets %(moment)s") % {
            "moment": moment_label(
                window.resets_at, zone=reader.standing.month.zone, now=reader.now
            )
        }
    return Fact(window_name(window), percent_text(percent), resets)


def _is_asked(decision: Decision) -> bool:
    return str(decision.reason) == CONFIRMATION_NEEDED


def _press(reader: MailReader, decision: Decision) -> Press:
    """Request more usage where that helps, else their own page."""
    link = page_url("own_usage", reader.organization.slug)
    if may_request(reader.person, decision.reason) and not _is_asked(decision):
        return Press(_("Request more usage"), link)
    return Press(_("Show usage"), link)


LETTERS: dict[str, Callable[[MailReader], Letter]] = {
    NoticeKind.MEMBER_CAP: own_cap_letter,
    NoticeKind.SEAT_TIER_CAP: own_cap_letter,
    NoticeKind.GROUP_CAP: own_cap_letter,
    NoticeKind.INCLUDED_USAGE: included_letter,
    NoticeKind.CHANGEOVER: changeover_letter,
}
