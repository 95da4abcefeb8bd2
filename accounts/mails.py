"""Mails of the accounts app. Sent by doors, after their transaction."""

from __future__ import annotations

from accounts.models import Invitation, User
from config.kit.mailer import send
from config.kit.one_line import shown_line


def send_invitation(invitation: Invitation, *, link: str, language: str) -> None:
    """The link to join, in the invited person's language where known, else the
    inviter's. Raises mail errors.
    """
    account_language = (
        User.objects.filter(email=invitation.email)
        .values_list("language", flat=True)
        .first()
    )
    context = {
        "invitation": invitation,
        "who": shown_line(invitation.invited_by.name),
        "name": shown_line(invitation.organization.name),
        "link": link,
        "until": invitation.expires_at,
    }
    send(
        "invitation",
        to=invitation.email,
        language=account_language or language,
        context=context,
    )
