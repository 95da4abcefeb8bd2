"""Jobs of reports: doors, so they read the clock. Safe to run twice, at once and late."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from accounts.tasks import send_soon
from billing.reports.actions.mailing import queue_report
from billing.reports.queries.mailed import due_reports
from config.kit.jobs import SWEEP_LIMIT, for_each


@shared_task
def mail_reports() -> int:
    """Make the mails due of every report whose month has closed; how many reports."""
    due = due_reports(now=timezone.now())[:SWEEP_LIMIT]
    return len(for_each(due, _mail_report, failed="reports.not_mailed"))


def _mail_report(due: tuple[int, dt.date]) -> list[int]:
    report_mail_id, month_on = due
    mails = queue_report(report_mail_id, month_on=month_on, now=timezone.now())
    send_soon(mails)
    return mails
