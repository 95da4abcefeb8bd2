"""Signed links in mails about notices: to agree to getting them, and to stop them without
signing in (RFC 8058).

The token is the permission, and names nobody.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core import signing

from config.kit.links import page_url

AGREE, STOP = "billing.notices.agree", "billing.notices.stop"
AGREES_WITHIN = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Stop:
    """Whose mails a link stops: a member's of one kind, or all to an address outside."""

    kind: str = ""
    membership_id: int | None = None
    recipient_id: int | None = None


def agree_url(recipient_id: int, *, now: dt.datetime) -> str:
    """The absolute link with which an address agrees; good for `AGREES_WITHIN`."""
    until = int((now + AGREES_WITHIN).timestamp())
    return page_url("notices_agree", signing.dumps([recipient_id, until], salt=AGREE))


def recipient_that_agrees(token: str, *, now: dt.datetime) -> int | None:
    """Whose link it is; None for a forged one, or one whose time is over."""
    value = _loaded(token, salt=AGREE)
    match value:
        case [int(recipient_id), int(until)] if now.timestamp() < until:
            return recipient_id
    return None


def stop_url(stop: Stop) -> str:
    """The absolute link; it does not expire, since mails are read late."""
    value = [stop.kind, stop.membership_id, stop.recipient_id]
    return page_url("notices_stop", signing.dumps(value, salt=STOP))


def stop_of(token: str) -> Stop | None:
    """What a link stops; None for a forged one."""
    match _loaded(token, salt=STOP):
        case [str(kind), int(membership_id), None]:
            return Stop(kind, membership_id=membership_id)
        case [str(kind), None, int(recipient_id)]:
            return Stop(kind, recipient_id=recipient_id)
    return None


def _loaded(token: str, *, salt: str) -> Any:
    try:
        return signing.loads(token, salt=salt)
    except signing.BadSignature:
        return None
