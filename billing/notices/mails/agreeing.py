"""The mail that asks an address outside whether it wants an organization's notices."""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.delivery import MailText, in_frame, writes
from accounts.models import OutgoingMail
from billing.models import NoticeRecipient
from billing.notices.actions.recipients import AGREE
from billing.notices.links import AGREES_WITHIN, Stop, agree_url, stop_url
from config.kit.dates import day_text
from config.kit.letters import Letter, Press
from config.kit.months import local_day
from config.kit.one_line import has_link, shown_line


@writes(AGREE)
def agree_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """The link to agree, made now; None once it agreed or was taken off the list."""
    recipient = (
        NoticeRecipient.objects.select_related("organization", "added_by__user")
        .filter(pk=mail.facts["recipient"], agreed_at__isnull=True)
        .first()
    )
    if recipient is None:
        return None
    with translation.override(mail.reads):
        return in_frame(_letter(recipient, now=now))


def _letter(recipient: NoticeRecipient, *, now: dt.datetime) -> Letter:
    organization = recipient.organization
    name = _plain(organization.name, organization.slug)
    until = local_day(now + AGREES_WITHIN, organization.zone_at(now))
    facts = {"name": name, "day": day_text(until), "address": recipient.address}
    asked = _(
        "An owner of “%(name)s” wants you to get a mail when its spend cap comes near or "
        "its balance runs low."
    )
    stop = stop_url(Stop(recipient_id=recipient.pk))
    return Letter(
        _("Do you want the notices of “%(name)s”?") % facts,
        [
            asked % facts,
            _("Nothing is sent before you agree. The link works until %(day)s.")
            % facts,
        ],
        Press(_("Get the notices"), agree_url(recipient.pk, now=now)),
        _(
            "You're receiving this because someone entered %(address)s. If you weren't "
            "expecting it, ignore it."
        )
        % facts,
        stops=[Press(_("Take my address off the list"), stop)],
        name=name,
    )


def _plain(name: str, slug: str) -> str:
    return slug if has_link(name) else shown_line(name)
