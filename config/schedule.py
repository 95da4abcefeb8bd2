"""What Celery beat starts, and when (UTC).

Every job may run twice, at once, or late, with the same outcome. A message that waited
until the next one came is worth nothing and expires.
"""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

HOUR, DAY = 3_600, 86_400
# A worker counts by its own clock, so no message expires sooner than clocks may differ.
LEAST_EXPIRY = 300


def _entry(task: str, schedule: float | crontab, interval: int) -> dict[str, Any]:
    expires = max(interval, LEAST_EXPIRY)
    return {"task": task, "schedule": schedule, "options": {"expires": expires}}


def every(seconds: int, task: str) -> dict[str, Any]:
    """A job that starts again after so many seconds."""
    return _entry(task, float(seconds), seconds)


def hourly(minute: int, task: str) -> dict[str, Any]:
    """A job that starts at this minute of every hour."""
    return _entry(task, crontab(minute=minute), HOUR)


def daily(hour: int, minute: int, task: str) -> dict[str, Any]:
    """A job that starts once a day."""
    return _entry(task, crontab(hour=hour, minute=minute), DAY)


SCHEDULE = {
    "write-down-key-use": every(60, "accounts.tasks.write_down_key_use"),
    "send-due-mails": every(30, "accounts.tasks.send_due_mails"),
    "prepare-digests": every(60, "requests_inbox.tasks.prepare_digests"),
    "end-requests": every(60, "requests_inbox.tasks.end_requests"),
    "reload-due-balances": every(30, "billing.payments.tasks.reload_due_balances"),
    "note-short-balances": daily(12, 20, "billing.payments.tasks.note_short_balances"),
    "settle-unknown": every(30, "billing.payments.tasks.settle_unknown"),
    "tell-notices": every(60, "billing.notices.tasks.tell_notices"),
    "send-due-deliveries": every(10, "billing.notices.tasks.send_due_deliveries"),
    "roll-up-charges": hourly(5, "billing.ledger.tasks.roll_up_charges"),
    "tell-of-repricing": hourly(50, "billing.metering.tasks.tell_of_repricing"),
    "close-months": every(300, "billing.documents.tasks.close_due_months"),
    "send-invoices": every(60, "billing.documents.tasks.send_due_invoices"),
    "take-waiting-notices": every(60, "billing.documents.tasks.take_waiting_notices"),
    "catch-up-with-gateway": daily(
        4, 40, "billing.documents.tasks.catch_up_with_gateway"
    ),
    "tell-of-ending-keys": hourly(15, "accounts.tasks.tell_of_ending_keys"),
    "mail-reports": hourly(20, "billing.reports.tasks.mail_reports"),
    "end-what-is-kept": daily(3, 10, "accounts.tasks.end_what_is_kept"),
    "forget-security-events": daily(3, 15, "accounts.tasks.forget_security_events"),
    "sync-prices": daily(3, 20, "billing.prices.tasks.sync_model_prices"),
    "audit-books": daily(2, 35, "billing.tasks.audit_books"),
}
