"""Mailing an invitation's link: a row, written with the invitation.

The row holds the link's secret sealed, and only until the mail went out or was given up.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.actions.invitations import invite
from accounts.actions.mails import SEALED, QueuedMail, queue_mails
from accounts.models import Invitation, Organization, OutgoingMail
from accounts.sealing import opened, sealed

INVITATION = "invitation"


@transaction.atomic
def invite_by_mail(
    organization: Organization, *, language: str, now: dt.datetime, **who: Any
) -> tuple[Invitation, list[int]]:
    """A new invitation, and the mail with its link in `language` where the person has
    none of their own; the mail's id.

    Takes and raises what `invite` does.
    """
    invitation, token = invite(organization, now=now, **who)
    mail = QueuedMail(
        None,
        INVITATION,
        f"{INVITATION}:{invitation.pk}",
        {"invitation": invitation.pk, SEALED: sealed(token, purpose=INVITATION)},
        address=invitation.email,
        language=language,
    )
    within = invitation.expires_at - now
    return invitation, queue_mails(organization, [mail], now=now, within=within)


def token_in(mail: OutgoingMail) -> str:
    """The secret of the link to mail. Raises NotSealed where none of the keys in the
    settings opens it.
    """
    return opened(mail.facts[SEALED], purpose=INVITATION)


def valid_until(now: dt.datetime) -> dt.datetime:
    """Until when a link that is mailed at `now` works."""
    return now + dt.timedelta(days=settings.INVITATION_DAYS)


def note_link_mailed(mail: OutgoingMail, *, now: dt.datetime) -> None:
    """The mail server took the link: its days count from now, and the address is mailed
    again a day later at the earliest (S21).
    """
    Invitation.objects.filter(pk=mail.facts["invitation"]).update(
        mailed_at=now, expires_at=valid_until(now)
    )
