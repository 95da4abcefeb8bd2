"""Mails of the accounts app. Sent by doors, after their transaction."""

from __future__ import annotations

from accounts.models import Invitation, User
from config.kit.mailer import send


def send_invitation(invitation: Invitation, *, link: str, language: str) -> None:
    """The link to join, in the invited person's language where known, else the
    inviter's. Raises mail errors.
    """
    account_language = (
        User.objects.filter(email=invitation.email)
        .values_list("language", flat=True)
        .first()
    )
    context = {"invitation": invitation, "link": link, "until": invitation.expires_at}
    send(
        "invitation",
        to=invitation.email,
        language=account_language or language,
        context=context,
    )
