"""The mails that the time of an API key, or of a personal token, is nearly over."""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.actions.api_keys import KEY_ENDS
from accounts.actions.tokens import TOKEN_ENDS
from accounts.delivery import MailText, in_frame, writes
from accounts.mails import because_of_role
from accounts.models import ApiKey, Membership, OutgoingMail
from config.kit.dates import city_time_text, dated_day_text
from config.kit.letters import Letter, Press
from config.kit.links import page_url
from config.kit.months import local_day
from config.kit.one_line import shown_line


@writes(KEY_ENDS)
def key_ends_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """To an owner, in their language; nothing of a key that was revoked meanwhile."""
    owners = mail.organization.memberships.owners_to_mail()
    owner = owners.select_related("organization").filter(user=mail.user).first()
    key = ApiKey.objects.live(now).filter(pk=mail.facts["key"]).first()
    if owner is None or key is None or key.last_day_moment is None:
        return None
    zone = mail.organization.zone_at(now)
    with translation.override(mail.reads):
        facts = {
            "key": shown_line(key.name),
            "prefix": key.prefix,
            "day": dated_day_text(local_day(key.last_day_moment, zone)),
        }
        lines = [
            _("From then on, whatever uses it (%(prefix)s…) is refused.") % facts,
            _("Create a new key and put it in place before, then revoke this one."),
        ]
        return _ends_letter(
            mail,
            _("The API key %(key)s is valid until %(day)s") % facts,
            lines,
            Press(_("Open API keys"), page_url("api_keys", mail.organization.slug)),
            to=owner,
            zone=zone,
        )


@writes(TOKEN_ENDS)
def token_ends_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """To the one whose token it is, in their language; nothing of one that was revoked
    or ended with the membership meanwhile.
    """
    tokens = ApiKey.objects.personal().live(now).select_related("membership")
    token = tokens.filter(pk=mail.facts["key"], membership__user=mail.user).first()
    if token is None or token.membership is None or token.last_day_moment is None:
        return None
    zone = mail.organization.zone_at(now)
    with translation.override(mail.reads):
        facts = {
            "token": shown_line(token.name),
            "prefix": token.prefix,
            "day": dated_day_text(local_day(token.last_day_moment, zone)),
        }
        lines = [
            _("From then on, whatever uses it (%(prefix)s…) is refused.") % facts,
            _("Create a new token and put it in place before, then revoke this one."),
        ]
        return _ends_letter(
            mail,
            _("Your personal token %(token)s is valid until %(day)s") % facts,
            lines,
            Press(_("Open your tokens"), page_url("own_tokens")),
            to=token.membership,
            zone=zone,
        )


def _ends_letter(
    mail: OutgoingMail,
    title: str,
    lines: list[str],
    press: Press,
    *,
    to: Membership,
    zone: str,
) -> MailText:
    letter = Letter(
        title,
        lines,
        press,
        because_of_role(to),
        name=mail.organization.name,
        when=city_time_text(zone),
    )
    return in_frame(letter)
