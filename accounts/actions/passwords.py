"""Asking for a new password by mail."""

from __future__ import annotations

import datetime as dt
import uuid

from accounts.actions.mails import QueuedMail, queue_mails

# Whoever asked waits for it; an hour later they ask again.
WITHIN = dt.timedelta(hours=1)


def queue_password_reset(email: str, *, now: dt.datetime) -> list[int]:
    """The mail with a link to choose a password, to a canonical address, whether or not
    anybody has it (S10); its id.

    The row says nothing else: the link is made when the mail is written, and a row for
    nobody is deleted then.
    """
    key = f"password_reset:{uuid.uuid4().hex}"
    mail = QueuedMail(None, "password_reset", key, address=email, language="en")
    return queue_mails(None, [mail], now=now, within=WITHIN)
