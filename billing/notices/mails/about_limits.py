"""What a mail says of a soft limit that was passed, and of a channel that was paused."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.notices.mails.about_organization import people_facts
from billing.notices.mails.reading import MailReader
from config.kit.letters import Fact, Letter, Press
from config.kit.links import page_url
from config.kit.money import format_usd


def soft_limit_letter(reader: MailReader) -> Letter:
    """An amount that somebody asked to be told of; it stops nothing."""
    notice = reader.notice
    is_person = notice.membership is not None
    who = str(notice.membership.user) if notice.membership else reader.organization.name
    spent = notice.spent_nanos or 0
    if not reader.is_past:
        standing = reader.person if is_person else reader.standing
        spent = max(spent, standing.spent_nanos)
    facts = {
        "who": who,
        "spent": format_usd(spent),
        "limit": format_usd(notice.limit_nanos or 0),
    }
    rows = [Fact(_("Soft limit"), facts["limit"]), Fact(_("Spent"), facts["spent"])]
    if not is_person and not reader.is_past:
        rows += [reader.week_fact(), *people_facts(reader)]
    return Letter(
        _("%(spent)s spent by %(who)s: past your soft limit of %(limit)s") % facts,
        [
            _("You asked to be told at %(limit)s. A soft limit stops nothing; caps do.")
            % facts
        ],
        reader.show_usage(),
        "",
        facts=rows,
    )


def channel_letter(reader: MailReader) -> Letter:
    """A channel that does not answer gets nothing until somebody resumes it."""
    notice = reader.notice
    facts = {
        "channel": notice.facts.get("channel", ""),
        "answer": notice.facts.get("answer", ""),
        "tries": notice.facts.get("tries", ""),
        "name": reader.organization.name,
    }
    rows = [
        Fact(label, str(facts[key]))
        for label, key in ((_("Last answer"), "answer"), (_("Tries"), "tries"))
        if facts[key] != ""
    ]
    press = Press(
        _("Open notices"),
        page_url("notices", reader.organization.slug),
    )
    return Letter(
        _("“%(channel)s” of %(name)s was paused") % facts,
        [
            _(
                "Nothing could be delivered there any more. What happens from now on "
                "waits until an owner resumes it."
            )
        ],
        press if reader.is_owner else reader.show_usage(),
        "",
        facts=rows,
    )
