"""Sending queued mails: claim, write, send, mark.

A door: it reads the clock and talks to the mail server.

Apps register who writes which kind; the writer sees the rows as they are when the mail
goes out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.utils import timezone

from accounts.actions.mails import claim_mail, drop_mail, mark_sent, retry_mail_later
from accounts.models import OutgoingMail
from config.kit.mailer import Attachment, send

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MailText:
    """What to send: `emails/<name>` in the recipient's language."""

    name: str
    context: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


Writer = Callable[[OutgoingMail, dt.datetime], MailText | None]
_WRITERS: dict[str, Writer] = {}


def writes(kind: str) -> Callable[[Writer], Writer]:
    """Mark the function that writes mails of `kind`; it answers None when there is
    nothing to say any more.
    """

    def register(writer: Writer) -> Writer:
        _WRITERS[kind] = writer
        return writer

    return register


def deliver(mail_id: int) -> bool:
    """Send one queued mail unless it is sent, dropped or in other hands; whether it
    went out now.

    Whatever the mail server answers is kept in the row and tried again; nothing is
    raised for it.
    """
    mail = claim_mail(mail_id, now=timezone.now())
    if mail is None:
        return False
    try:
        text = _WRITERS[mail.kind](mail, timezone.now())
        if text is None:
            drop_mail(mail, why="", now=timezone.now())
            return False
        headers = {**text.headers, "Message-ID": mail.message_id}
        send(
            text.name,
            to=mail.to,
            language=mail.reads,
            context=text.context,
            headers=headers,
            attachments=text.attachments,
        )
    # a template's fault as much as the server's: never lost, never sent twice
    except Exception as error:
        log.warning(
            "mail.failed", mail=mail.pk, kind=mail.kind, error=str(error), exc_info=True
        )
        retry_mail_later(
            mail, error=f"{type(error).__name__}: {error}", now=timezone.now()
        )
        return False
    mark_sent(mail, now=timezone.now())
    return True
