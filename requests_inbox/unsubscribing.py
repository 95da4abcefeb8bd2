"""Signed links that switch one recipient's digest off without signing in (RFC 8058)."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.urls import reverse

SALT = "requests_inbox.digest"


def unsubscribe_url(membership_id: int) -> str:
    """The absolute link; it does not expire, since mails are read late."""
    return settings.SITE_URL.rstrip("/") + reverse("digest_off", args=[signing.dumps(membership_id, salt=SALT)])


def membership_id_of(token: str) -> int | None:
    """The membership a link belongs to; None for a forged one."""
    try:
        value = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return value if isinstance(value, int) else None
