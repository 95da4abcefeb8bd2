"""What a mail says of a prepaid balance that is low, gone, or would not last."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.funding.words.buying import still_stops
from billing.models import BillingAccount, NoticeKind
from billing.notices.mails.reading import MailReader, overtaken
from config.kit.dates import day_text
from config.kit.letters import Fact, Letter, Press
from config.kit.links import page_url
from config.kit.money import format_usd


def balance_letter(reader: MailReader) -> Letter:
    """The balance as it is now; nothing to say where it was lifted meanwhile."""
    balance = reader.standing.balance_nanos
    if balance is None or _is_lifted(reader, balance):
        raise overtaken()
    ends_on = _ends_on(reader, balance)
    buy = Press(
        _("Buy extra usage"), page_url("buy_extra_usage", reader.organization.slug)
    )
    usage = reader.show_usage()
    lasts = []
    if balance > 0:
        until = ends_on or _("the month's end")
        lasts = [Fact(_("Would last until"), until)]
    return Letter(
        _title(reader, balance, ends_on),
        [_what_it_means(reader, balance, ends_on)],
        buy if reader.is_owner else usage,
        "",
        facts=[
            Fact(_("Balance"), format_usd(balance)),
            reader.week_fact(),
            *lasts,
            Fact(_("Auto-reload"), _("On") if _reloads(reader) else _("Off")),
        ],
        second=usage if reader.is_owner else None,
    )


def _is_lifted(reader: MailReader, balance: int) -> bool:
    """Bought since: an empty one is positive, a low one above its mark, a short one lasts."""
    match reader.notice.kind:
        case NoticeKind.BALANCE_EXHAUSTED:
            return balance > 0
        case NoticeKind.BALANCE_LOW:
            return balance > (reader.notice.limit_nanos or 0)
        case _other:
            return balance <= 0 or _ends_on(reader, balance) == ""


def _ends_on(reader: MailReader, balance: int) -> str:
    """The day of this month on which the balance is used up at the month's pace; empty
    where it lasts, or nothing is projected.
    """
    projection = reader.summary.projection
    if balance <= 0 or projection is None:
        return ""
    day = projection.reaches_on(projection.spent_nanos + balance)
    return day_text(day) if day else ""


def _reloads(reader: MailReader) -> bool:
    return BillingAccount.objects.filter(
        organization=reader.organization, auto_reload_enabled=True
    ).exists()


def _title(reader: MailReader, balance: int, ends_on: str) -> str:
    facts = {
        "name": reader.organization.name,
        "balance": format_usd(balance),
        "day": ends_on,
    }
    match reader.notice.kind:
        case NoticeKind.BALANCE_EXHAUSTED:
            return _("%(balance)s left: the balance of %(name)s is used up") % facts
        case NoticeKind.BALANCE_LOW:
            return _("%(balance)s left: the balance of %(name)s is low") % facts
        case _other:
            return (
                _("%(balance)s left: the balance of %(name)s lasts until %(day)s")
                % facts
            )


def _what_it_means(reader: MailReader, balance: int, ends_on: str) -> str:
    if balance <= 0:
        paused = _(
            "Extra usage is paused for everyone until more is bought. Included usage "
            "goes on."
        )
        others = still_stops(reader.standing, balance_nanos=balance)
        if not others:
            return paused
        return " ".join([paused, _("Buying extra usage alone is not enough."), *others])
    pauses = _("Once it is used up, extra usage pauses for everyone.")
    if ends_on:
        when = _("At this pace it is used up on %(day)s.") % {"day": ends_on}
        return f"{when} {pauses}"
    return pauses
