"""The mail that an API key's time is nearly over."""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.actions.api_keys import KEY_ENDS
from accounts.delivery import MailText, in_frame, writes
from accounts.mails import because_of_role
from accounts.models import ApiKey, OutgoingMail
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
        letter = Letter(
            _("The API key %(key)s is valid until %(day)s") % facts,
            lines,
            Press(_("Open API keys"), page_url("api_keys", mail.organization.slug)),
            because_of_role(owner),
            name=mail.organization.name,
            when=city_time_text(zone),
        )
        return in_frame(letter)
