"""The signed link in a mailed report that stops it for its reader, without signing in
(RFC 8058). The token is the permission, and names nobody.
"""

from __future__ import annotations

from django.core import signing

from config.kit.links import page_url

STOP = "billing.reports.stop"


def stop_url(recipient_id: int) -> str:
    """The absolute link; it does not expire, since mails are read late."""
    return page_url("report_stop", signing.dumps(recipient_id, salt=STOP))


def recipient_that_stops(token: str) -> int | None:
    """Whose link it is; None for a forged one."""
    try:
        value = signing.loads(token, salt=STOP)
    except signing.BadSignature:
        return None
    return value if isinstance(value, int) else None
