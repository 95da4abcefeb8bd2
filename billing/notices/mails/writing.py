"""Who writes the mails of notices, as things are when the mail goes out: nothing where
the notice was overtaken, or its reader left or chose otherwise meanwhile.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.delivery import MailText, in_frame, one_click, writes
from accounts.models import Membership, OutgoingMail
from billing.models import Notice, NoticeKind, NoticeRecipient
from billing.notices.actions.telling import NOTICE
from billing.notices.links import Stop, stop_url
from billing.notices.mails.about_balance import balance_letter
from billing.notices.mails.about_limits import channel_letter, soft_limit_letter
from billing.notices.mails.about_organization import organization_cap_letter
from billing.notices.mails.about_people import LETTERS as OWN_LETTERS
from billing.notices.mails.reading import MailReader, overtaken
from billing.notices.queries.edges import edges_for
from billing.notices.queries.recipients import is_told_by_mail
from billing.notices.rules.channels import is_personal
from config.kit.dates import city_moment_text
from config.kit.letters import Letter, Press
from config.kit.links import page_url

LETTERS: dict[str, Callable[[MailReader], Letter]] = {
    NoticeKind.ORGANIZATION_CAP: organization_cap_letter,
    NoticeKind.BALANCE_LOW: balance_letter,
    NoticeKind.BALANCE_EXHAUSTED: balance_letter,
    NoticeKind.BALANCE_SHORT: balance_letter,
    NoticeKind.SOFT_LIMIT: soft_limit_letter,
    NoticeKind.CHANNEL_PAUSED: channel_letter,
    **OWN_LETTERS,
}
CAP_KINDS = frozenset(
    {
        NoticeKind.ORGANIZATION_CAP,
        NoticeKind.MEMBER_CAP,
        NoticeKind.SEAT_TIER_CAP,
        NoticeKind.GROUP_CAP,
    }
)


@writes(NOTICE)
def notice_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A notice to one reader, in their language."""
    notices = Notice.objects.select_related("organization", "membership__user")
    notice = notices.filter(pk=mail.facts["notice"]).first()
    if notice is None:
        return None
    if notice.overtaken_at is not None:
        raise overtaken()
    reader = _reader(mail, notice, now=now)
    if reader is None:
        return None
    stop = stop_url(_stop(reader))
    with translation.override(mail.reads):
        letter = LETTERS[notice.kind](reader)
        letter = replace(
            letter,
            why=why_text(reader),
            stops=_stops(reader, stop),
            name=notice.organization.name,
            when=city_moment_text(now, zone=notice.organization.zone_at(now)),
        )
    return in_frame(letter, headers=one_click(stop))


def _reader(
    mail: OutgoingMail, notice: Notice, *, now: dt.datetime
) -> MailReader | None:
    if "recipient" in mail.facts:
        rows = NoticeRecipient.objects.filter(membership__isnull=True)
        outside = rows.filter(pk=mail.facts["recipient"]).first()
        if outside is None or not outside.gets_notices(now):
            return None
        return MailReader(notice, now, outside=outside)
    members = Membership.objects.enabled().select_related("organization", "user")
    membership = members.filter(pk=mail.facts["membership"]).first()
    if membership is None or not is_told_by_mail(membership, notice):
        return None
    return MailReader(notice, now, membership=membership)


def _stop(reader: MailReader) -> Stop:
    if reader.outside is not None:
        return Stop(reader.notice.kind, recipient_id=reader.outside.pk)
    assert reader.membership is not None
    return Stop(reader.notice.kind, membership_id=reader.membership.pk)


def _stops(reader: MailReader, stop: str) -> list[Press]:
    if reader.outside is not None:
        return [Press(_("Take my address off the list"), stop)]
    label = _("Stop mails about “%(kind)s”") % {
        "kind": NoticeKind(reader.notice.kind).label
    }
    return [
        Press(label, stop),
        Press(_("Choose what I am told"), page_url("me") + "#notices"),
    ]


def why_text(reader: MailReader) -> str:
    """How often such mails come, and why to this reader."""
    often, name = _how_often(reader), reader.organization.name
    if reader.outside is not None:
        why = _("because an owner of %(name)s named your address and you agreed.")
        return f"{often} {why % {'name': name}}"
    assert reader.membership is not None
    if is_personal(reader.notice.kind):
        why = _("because it is about your own usage at %(name)s.") % {"name": name}
    elif reader.is_owner:
        why = _("because your role at %(name)s is %(role)s.") % {
            "name": name,
            "role": reader.membership.role.label,
        }
    else:
        why = _("because an owner of %(name)s chose you for its notices.") % {
            "name": name
        }
    return f"{often} {why}"


def _how_often(reader: MailReader) -> str:
    kind = reader.notice.kind
    if kind in CAP_KINDS:
        values = {"percents": _percents(reader)}
        return _("You get this once a month at %(percents)s %%,") % values
    if kind in (NoticeKind.INCLUDED_USAGE, NoticeKind.CHANGEOVER):
        return _("You get this once a window,")
    return _("You get this once each time,")


def _percents(reader: MailReader) -> str:
    """`75, 90 and 100`."""
    edges = edges_for(reader.organization.pk)
    is_shared = reader.notice.kind == NoticeKind.ORGANIZATION_CAP
    percents = edges.organization if is_shared else edges.member
    *first, last = map(str, percents or [reader.notice.percent])
    if not first:
        return last
    listed = pgettext("list", ", ").join(first)
    return _("%(first)s and %(last)s") % {"first": listed, "last": last}
