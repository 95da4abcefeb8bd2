"""Signed links that switch one recipient's digest off without signing in (RFC 8058)."""

from __future__ import annotations

from django.core import signing

from config.kit.links import page_url

SALT = "requests_inbox.digest"


def unsubscribe_url(membership_id: int) -> str:
    """The absolute link; it does not expire, since mails are read late."""
    return page_url("digest_off", signing.dumps(membership_id, salt=SALT))


def membership_id_of(token: str) -> int | None:
    """The membership a link belongs to; None for a forged one."""
    try:
        value = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return value if isinstance(value, int) else None
