"""What Celery beat starts, and when (UTC).

Every job may run twice, at once, or late, with the same outcome.
"""

from __future__ import annotations

from celery.schedules import crontab

SCHEDULE = {
    "write-down-key-use": {
        "task": "accounts.tasks.write_down_key_use",
        "schedule": 60.0,
    },
    "send-due-mails": {"task": "accounts.tasks.send_due_mails", "schedule": 30.0},
    "prepare-digests": {
        "task": "requests_inbox.tasks.prepare_digests",
        "schedule": 60.0,
    },
    "end-requests": {"task": "requests_inbox.tasks.end_requests", "schedule": 60.0},
    "reload-due-balances": {
        "task": "billing.payments.tasks.reload_due_balances",
        "schedule": 30.0,
    },
    "settle-unknown": {
        "task": "billing.payments.tasks.settle_unknown",
        "schedule": 30.0,
    },
    "roll-up-charges": {
        "task": "billing.ledger.tasks.roll_up_charges",
        "schedule": crontab(minute=5),
    },
    "close-months": {
        "task": "billing.documents.tasks.close_due_months",
        "schedule": 300.0,
    },
    "send-invoices": {
        "task": "billing.documents.tasks.send_due_invoices",
        "schedule": 60.0,
    },
    "take-waiting-notices": {
        "task": "billing.documents.tasks.take_waiting_notices",
        "schedule": 60.0,
    },
    "catch-up-with-gateway": {
        "task": "billing.documents.tasks.catch_up_with_gateway",
        "schedule": crontab(minute=40, hour=4),
    },
    "clear-sessions": {
        "task": "accounts.tasks.clear_sessions",
        "schedule": crontab(minute=10, hour=3),
    },
    "sync-prices": {
        "task": "billing.prices.tasks.sync_model_prices",
        "schedule": crontab(minute=20, hour=3),
    },
}
