"""What scheduled jobs are called, for operators."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

JOB_LABELS: dict[str, str | Promise] = {
    "write-down-key-use": gettext_lazy("Use of API keys"),
    "send-due-mails": gettext_lazy("Mails"),
    "tell-notices": gettext_lazy("Notices of limits and balances"),
    "send-due-deliveries": gettext_lazy("Deliveries to channels"),
    "prepare-digests": gettext_lazy("Daily digests"),
    "end-requests": gettext_lazy("Requests that ended by themselves"),
    "reload-due-balances": gettext_lazy("Auto-reload"),
    "note-short-balances": gettext_lazy("Balances that will not last"),
    "settle-unknown": gettext_lazy("Payments without an answer"),
    "roll-up-charges": gettext_lazy("Usage booked in ledgers"),
    "tell-of-repricing": gettext_lazy("Notices of repricing"),
    "close-months": gettext_lazy("Closing of months"),
    "send-invoices": gettext_lazy("Invoices to the gateway"),
    "take-waiting-notices": gettext_lazy("Notices from the gateway"),
    "catch-up-with-gateway": gettext_lazy("Catch-up with the gateway"),
    "tell-of-ending-keys": gettext_lazy("Notices of ending keys"),
    "mail-reports": gettext_lazy("Monthly reports by mail"),
    "end-what-is-kept": gettext_lazy("End of what is kept for a time"),
    "forget-security-events": gettext_lazy("Old security events"),
    "sync-prices": gettext_lazy("Published prices"),
    "audit-books": gettext_lazy("Proof of the books"),
}


def job_label(name: str) -> str:
    """What a job of the schedule is called; an unknown one by its name there."""
    return str(JOB_LABELS.get(name, name))
