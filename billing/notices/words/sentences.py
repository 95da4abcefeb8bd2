"""A notice in sentences, in the active language: its title, the line under it and what
helps. Pages, mails and channels print them; chosen here alone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import Membership, Tier
from billing.models import Notice, NoticeKind, WindowName
from config.kit.dates import day_text, moment_label, short_day_text
from config.kit.money import format_usd
from config.kit.months import Month

CAPS = frozenset(
    {
        NoticeKind.ORGANIZATION_CAP,
        NoticeKind.SEAT_TIER_CAP,
        NoticeKind.MEMBER_CAP,
        NoticeKind.GROUP_CAP,
    }
)
BALANCES = frozenset(
    {
        NoticeKind.BALANCE_LOW,
        NoticeKind.BALANCE_EXHAUSTED,
        NoticeKind.BALANCE_SHORT,
    }
)
WINDOWS = frozenset({NoticeKind.INCLUDED_USAGE, NoticeKind.CHANGEOVER})
REACHED = 100


@dataclass(frozen=True, slots=True)
class Pace:
    """Where a month goes that is still running: what is projected for its end, nothing
    where no day is complete, and the cap that would last (nano-USD).
    """

    projected_nanos: int | None = None
    lasting_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """A notice as its reader reads it; `icon` and `tone` are names of our styles."""

    title: str
    line: str
    icon: str
    tone: str = ""


def notice_words(
    notice: Notice,
    *,
    reader: Membership | None = None,
    now: dt.datetime,
    pace: Pace | None = None,
) -> NoticeWords:
    """What a notice says to `reader`; of oneself one reads “You”. Times are in the zone
    of the notice's month.
    """
    icon, tone = _look(notice)
    month = notice.organization.calendar.month(notice.month_on)
    title = notice_title(notice, reader=reader)
    return NoticeWords(title, _line(notice, month, pace, now=now), icon, tone)


def notice_title(notice: Notice, *, reader: Membership | None = None) -> str:
    """The number first, with its unit and limit: `Acme has used 75 % of $1,600.00`."""
    is_own = reader is not None and notice.membership_id == reader.pk
    if notice.kind in CAPS:
        return _cap_title(notice, is_own=is_own)
    if notice.kind in WINDOWS:
        return _window_title(notice, is_own=is_own)
    if notice.kind == NoticeKind.SOFT_LIMIT:
        return _("Soft limit of %(limit)s reached") % {"limit": _limit(notice)}
    if notice.kind in BALANCES:
        return _balance_title(notice)
    return _("%(channel)s was paused") % {"channel": notice.facts.get("channel", "")}


def percent_text(percent: int | None) -> str:
    """`75 %`, in Japanese 75%."""
    return pgettext("share", "%(percent)s %%") % {"percent": percent}


def subject_name(notice: Notice) -> str:
    """Whom or what it is about, by name."""
    if notice.membership_id is not None and notice.membership is not None:
        return str(notice.membership.user)
    if notice.facts.get("group"):
        return str(notice.facts["group"])
    return str(notice.organization.name)


def source_text(notice: Notice) -> str:
    """What was reached, in short: `Organization spend cap`, `seat cap of Premium`."""
    if notice.kind == NoticeKind.SEAT_TIER_CAP and notice.membership is not None:
        tier = notice.facts.get("seat_tier") or notice.membership.seat_tier
        return _("Cap for %(tier)s seats") % {"tier": Tier.label_of(tier)}
    if notice.kind in WINDOWS:
        return window_text(notice.window)
    return NoticeKind(notice.kind).label


def window_text(window: str) -> str:
    """Which of the included windows."""
    return (
        {
            WindowName.SESSION: _("Included usage, session"),
            WindowName.WEEK: _("Included usage, week"),
        }.get(WindowName(window), _("Included usage"))
        if window
        else _("Included usage")
    )


def _limit(notice: Notice) -> str:
    return format_usd(notice.limit_nanos or 0)


def _cap_title(notice: Notice, *, is_own: bool) -> str:
    values = {
        "who": subject_name(notice),
        "percent": percent_text(notice.percent),
        "limit": _limit(notice),
    }
    if is_own:
        return _("You have used %(percent)s of your %(limit)s") % values
    return _("%(who)s has used %(percent)s of %(limit)s") % values


def _window_title(notice: Notice, *, is_own: bool) -> str:
    values = {"who": subject_name(notice), "percent": percent_text(notice.percent)}
    is_week = notice.window == WindowName.WEEK
    if notice.kind == NoticeKind.CHANGEOVER:
        if is_own:
            return _("You go on with extra usage")
        return _("%(who)s goes on with extra usage") % values
    if is_own and is_week:
        return _("You have used %(percent)s of this week’s included usage") % values
    if is_own:
        return _("You have used %(percent)s of this session’s included usage") % values
    if is_week:
        return _("%(who)s has used %(percent)s of a week’s included usage") % values
    return _("%(who)s has used %(percent)s of a session’s included usage") % values


def _balance_title(notice: Notice) -> str:
    if notice.kind == NoticeKind.BALANCE_EXHAUSTED:
        return _("The balance is used up")
    if notice.kind == NoticeKind.BALANCE_SHORT:
        return _("The balance would not last the month")
    return _("The balance is below %(limit)s") % {"limit": _limit(notice)}


def _line(notice: Notice, month: Month, pace: Pace | None, *, now: dt.datetime) -> str:
    if notice.kind in CAPS:
        return _cap_line(notice, month, pace)
    if notice.kind in WINDOWS:
        return _window_line(notice, month, now=now)
    if notice.kind == NoticeKind.SOFT_LIMIT:
        who = subject_name(notice)
        return _("%(who)s. It stops nothing.") % {"who": who}
    if notice.kind in BALANCES:
        return _balance_line(notice)
    return _channel_line(notice)


def _cap_line(notice: Notice, month: Month, pace: Pace | None) -> str:
    """What was spent and how long the month still was; then where it goes, or what is
    stopped.
    """
    days = month.days_left(notice.created_at)
    spent = ngettext(
        "%(spent)s with %(days)s day left.", "%(spent)s with %(days)s days left.", days
    ) % {"spent": format_usd(notice.spent_nanos or 0), "days": days}
    if (notice.percent or 0) >= REACHED:
        is_organization = notice.kind == NoticeKind.ORGANIZATION_CAP
        stopped = (
            _("Extra usage is paused for everyone until %(day)s.")
            if is_organization
            else _("Extra usage is paused until %(day)s.")
        ) % {"day": day_text(month.last_on + dt.timedelta(days=1))}
        return f"{spent} {stopped}"
    if pace is None or not pace.projected_nanos:
        return spent
    projected = _("At this pace about %(amount)s by %(end)s.") % {
        "amount": format_usd(pace.projected_nanos, cents=False),
        "end": short_day_text(month.last_on),
    }
    return f"{spent} {projected}"


def _window_line(notice: Notice, month: Month, *, now: dt.datetime) -> str:
    if notice.resets_at is None:
        return ""
    resets = _("It resets %(moment)s.") % {
        "moment": moment_label(notice.resets_at, zone=month.zone, now=now)
    }
    if notice.kind == NoticeKind.CHANGEOVER:
        used_up = _(
            "Your included usage is used up; %(organization)s pays at API rates."
        )
        return f"{used_up % {'organization': notice.organization.name}} {resets}"
    return resets


def _balance_line(notice: Notice) -> str:
    if notice.kind == NoticeKind.BALANCE_EXHAUSTED:
        return _("Extra usage is paused for everyone until more is bought.")
    left = notice.facts.get("balance_nanos")
    ends_on = notice.facts.get("ends_on")
    sentences = []
    if left is not None:
        sentences.append(_("%(left)s is left.") % {"left": format_usd(left)})
    if ends_on:
        day = day_text(dt.date.fromisoformat(ends_on))
        sentences.append(_("At this pace it is used up on %(day)s.") % {"day": day})
    return " ".join(sentences)


def _channel_line(notice: Notice) -> str:
    return str(notice.facts.get("answer", ""))


def _look(notice: Notice) -> tuple[str, str]:
    """Icon and tone: amber while it can still be helped, red where something stopped."""
    is_reached = (notice.percent or 0) >= REACHED
    if notice.kind in CAPS:
        return ("player-pause", "stop") if is_reached else ("alert-triangle", "warn")
    if notice.kind == NoticeKind.BALANCE_EXHAUSTED:
        return "wallet", "stop"
    if notice.kind in BALANCES:
        return "wallet", "warn"
    if notice.kind == NoticeKind.CHANNEL_PAUSED:
        return "plug", "stop"
    return ("clock" if notice.kind in WINDOWS else "circle-check"), ""
