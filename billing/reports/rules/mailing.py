"""When a report is mailed, and under which codes. Pure; times are UTC instants."""

from __future__ import annotations

import datetime as dt

REPORT = "billing.report"  # the kind of its mails
CHANGED = "report_mail.change"  # in the audit
# After the close, so that what arrives at its last minute is in.
AFTER_CLOSE = dt.timedelta(hours=2)


def first_mail_at(month_ends_at: dt.datetime, *, grace: dt.timedelta) -> dt.datetime:
    """About when the report of a month is mailed that closes `grace` after its end."""
    return month_ends_at + grace + AFTER_CLOSE
