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

from accounts.actions.mails import (
    Then,
    claim_mail,
    drop_mail,
    forget_mail,
    mark_sent,
    retry_mail_later,
)
from accounts.models import OutgoingMail
from config.kit.addresses import is_erased
from config.kit.letters import Letter
from config.kit.mailer import Attachment, send

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MailText:
    """What to send: `emails/<name>` in the recipient's language, or in the one that the
    writer found out.
    """

    name: str
    context: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    language: str = ""


def in_frame(
    letter: Letter,
    *,
    headers: dict[str, str] | None = None,
    attachments: tuple[Attachment, ...] = (),
    language: str = "",
) -> MailText:
    """A letter in the frame of all mails."""
    context = {"letter": letter}
    return MailText("letter", context, headers or {}, attachments, language)


class NothingToSay(Exception):
    """A writer's answer instead of None, where the row is to keep why."""


Writer = Callable[[OutgoingMail, dt.datetime], MailText | None]
_WRITERS: dict[str, Writer] = {}
_FORGOTTEN: set[str] = set()
_THEN: dict[str, Then] = {}


def one_click(url: str) -> dict[str, str]:
    """The headers by which a mail program stops such mails at one press (RFC 8058)."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def writes(
    kind: str, *, is_forgotten: bool = False, then: Then | None = None
) -> Callable[[Writer], Writer]:
    """Mark the function that writes mails of `kind`; it answers None when there is
    nothing to say any more, or raises NothingToSay with why.

    `is_forgotten`: then nothing is left of the row either. `then` is called with the
    mail and `now`, in the transaction that marks it as sent.
    """

    def register(writer: Writer) -> Writer:
        _WRITERS[kind] = writer
        if is_forgotten:
            _FORGOTTEN.add(kind)
        if then is not None:
            _THEN[kind] = then
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
    if is_erased(mail.to):
        drop_mail(mail, why="The recipient was erased.", now=timezone.now())
        return False
    try:
        text = _text_of(mail)
        if text is None:
            _drop(mail)
            return False
        headers = {**text.headers, "Message-ID": mail.message_id}
        send(
            text.name,
            to=mail.to,
            language=text.language or mail.reads,
            context=text.context,
            headers=headers,
            attachments=text.attachments,
            sender=mail.organization.name if mail.organization_id else "",
        )
    except NothingToSay as answer:
        drop_mail(mail, why=str(answer), now=timezone.now())
        return False
    # a template's fault as much as the server's: never lost, never sent twice
    except Exception as error:
        log.warning(
            "mail.failed", mail=mail.pk, kind=mail.kind, error=str(error), exc_info=True
        )
        retry_mail_later(
            mail, error=f"{type(error).__name__}: {error}", now=timezone.now()
        )
        return False
    mark_sent(mail, now=timezone.now(), then=_THEN.get(mail.kind))
    return True


def _drop(mail: OutgoingMail) -> None:
    """Nothing to say."""
    if mail.kind in _FORGOTTEN:
        forget_mail(mail)
    else:
        now = timezone.now()
        late = mail.last_error or "It could not be sent in time."
        drop_mail(mail, why=late if now >= mail.expires_at else "", now=now)


def _text_of(mail: OutgoingMail) -> MailText | None:
    """What to say; nothing to somebody whose account is switched off."""
    if mail.user is not None and not mail.user.is_active:
        return None
    return _WRITERS[mail.kind](mail, timezone.now())
