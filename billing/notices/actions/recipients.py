"""Who gets the organization's notices beside its owners (N4): members at once, addresses
outside once they agreed by a link.

Whoever is added outside is mailed once for it, and not often (S21).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization, OutgoingMail
from billing.models import NoticeRecipient
from billing.notices.rules.channels import RECIPIENT_CHANGE
from config.kit.addresses import canonical_address, is_erased
from config.kit.dates import moment_text
from config.kit.errors import BusinessError

AGREE = "notice.agree"
ASKED_WITHIN = dt.timedelta(days=1)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
MOST_RECIPIENTS = 50


@dataclass(frozen=True, slots=True)
class Added:
    """A recipient, whether it is new, and the mails to send."""

    recipient: NoticeRecipient
    is_new: bool
    mails: list[int]


@transaction.atomic
def add_recipient(
    organization: Organization,
    *,
    address: str,
    language: str,
    by: Membership,
    now: dt.datetime,
) -> Added:
    """Have somebody get the organization's notices: a member of it by their address, at
    once; any other address is asked in `language`. One that is there already stays.

    Raises BusinessError `bad_address` (422), `too_many_recipients`, `asked_today` or
    `too_many_asked` (429). Whether an address has an account elsewhere is never told.
    """
    address = _checked(address)
    locked = lock_organization(organization.pk)
    member = Membership.objects.enabled().filter(
        organization=locked, user__email=address
    )
    row = NoticeRecipient(
        organization=locked, membership=member.first(), added_by=by, added_at=now
    )
    if row.membership is None:
        row.address, row.language = address, language
    known = NoticeRecipient.objects.filter(
        organization=locked, membership=row.membership, address=row.address
    ).first()
    if known is not None:
        return Added(known, False, [])
    if locked.notice_recipients.count() >= MOST_RECIPIENTS:
        raise BusinessError(
            _("Up to %(most)d others can get the notices.") % {"most": MOST_RECIPIENTS},
            code="too_many_recipients",
        )
    asks = row.membership is None
    if asks:
        _refuse_one_too_many(locked, address, now=now)
    row.save(force_insert=True)
    _keep(row, Actor.person(by.user), to_value={"address": address}, now=now)
    return Added(row, True, _ask(row, now=now) if asks else [])


@transaction.atomic
def ask_again(recipient: NoticeRecipient, *, now: dt.datetime) -> list[int]:
    """Mail the link to agree once more, at most once a day; the mails' ids.

    Raises BusinessError `asked_today` or `too_many_asked` (429).
    """
    locked = lock_organization(recipient.organization_id)
    if recipient.membership_id is not None or recipient.agreed_at is not None:
        return []
    _refuse_one_too_many(locked, recipient.address, now=now)
    return _ask(recipient, now=now)


@transaction.atomic
def agree(recipient_id: int, *, now: dt.datetime) -> NoticeRecipient | None:
    """The link in the mail: the address gets the notices from now on; again changes
    nothing. None when it was taken off the list meanwhile.
    """
    rows = NoticeRecipient.objects.filter(pk=recipient_id, membership__isnull=True)
    is_first = rows.filter(agreed_at__isnull=True).update(agreed_at=now)
    recipient = rows.select_related("organization").first()
    if recipient is not None and is_first:
        agreed = {"address": recipient.address, "agreed": True}
        _keep(recipient, Actor(label=recipient.address), to_value=agreed, now=now)
    return recipient


@transaction.atomic
def remove_recipient(
    recipient: NoticeRecipient, *, actor: Actor, now: dt.datetime
) -> None:
    """Take somebody off the list; what waits to be sent to them is not sent."""
    gone, _rows = NoticeRecipient.objects.filter(pk=recipient.pk).delete()
    if gone:
        from_value = {"address": _address(recipient)}
        _keep(recipient, actor, from_value=from_value, now=now)


def _checked(address: str) -> str:
    address = canonical_address(address)
    try:
        validate_email(address)
    except ValidationError:
        address = ""
    if not address or is_erased(address):
        raise BusinessError(
            _("Enter an e-mail address, such as finance@example.com."),
            code="bad_address",
            status=422,
            field="address",
        )
    return address


def _address(recipient: NoticeRecipient) -> str:
    if recipient.membership is None:
        return recipient.address
    return recipient.membership.user.email


def _ask(recipient: NoticeRecipient, *, now: dt.datetime) -> list[int]:
    mail = QueuedMail(
        None,
        AGREE,
        f"{AGREE}:{recipient.pk}:{now.isoformat()}",
        {"recipient": recipient.pk},
        address=recipient.address,
        language=recipient.language,
    )
    return queue_mails(recipient.organization, [mail], now=now, within=ASKED_WITHIN)


def _refuse_one_too_many(
    locked: Organization, address: str, *, now: dt.datetime
) -> None:
    """By the mails themselves: taking an address off the list and adding it again mails
    nobody twice.
    """
    zone = locked.zone_at(now)
    asked = OutgoingMail.objects.filter(organization=locked, kind=AGREE)
    last = asked.filter(address=address, created_at__gt=now - DAY).first()
    if last is not None:
        again = moment_text(last.created_at + DAY, zone=zone, now=now)
        raise BusinessError(
            _(
                "%(address)s was asked within the last 24 hours. You can ask again %(again)s."
            )
            % {"address": address, "again": again},
            code="asked_today",
            status=429,
            field="address",
        )
    most = settings.INVITATIONS_AN_HOUR
    if locked.invites_freely:
        return
    # the one that has to be an hour old before the next may go out
    for mail in asked.filter(created_at__gt=now - HOUR)[most - 1 : most]:
        again = moment_text(mail.created_at + HOUR, zone=zone, now=now)
        raise BusinessError(
            _(
                "Up to %(most)d addresses an hour can be asked. You can ask the next one %(again)s."
            )
            % {"most": most, "again": again},
            code="too_many_asked",
            status=429,
            field="address",
        )


def _keep(
    recipient: NoticeRecipient, actor: Actor, *, now: dt.datetime, **values: object
) -> None:
    record_change(
        recipient.organization,
        actor=actor,
        action=RECIPIENT_CHANGE,
        subject=_address(recipient),
        membership=recipient.membership,
        now=now,
        **values,
    )
