"""Reports that are mailed monthly: which are due, and who may get one. Read-only."""

from __future__ import annotations

import datetime as dt

from django.db.models import Max

from accounts.models import Role
from billing.models import BillingMonth, ReportMail, ReportMailRecipient
from billing.reports.rules.mailing import AFTER_CLOSE


def due_reports(*, now: dt.datetime) -> list[tuple[int, dt.date]]:
    """Reports (ids) with the latest month that has closed and was not mailed yet: of a
    month that ended before the report was asked for, nothing is mailed.
    """
    closed = BillingMonth.objects.filter(
        state=BillingMonth.State.CLOSED,
        closed_at__lte=now - AFTER_CLOSE,
        organization__report_mails__isnull=False,
    )
    latest = dict(closed.values_list("organization_id").annotate(month=Max("month_on")))
    ends = {
        (one.organization_id, one.month_on): one.ends_at
        for one in BillingMonth.objects.filter(
            organization_id__in=latest, month_on__in=set(latest.values())
        )
    }
    due = []
    for one in ReportMail.objects.filter(organization_id__in=latest):
        month_on = latest[one.organization_id]
        is_new = one.mailed_month_on is None or one.mailed_month_on < month_on
        if is_new and one.created_at < ends[one.organization_id, month_on]:
            due.append((one.pk, month_on))
    return due


def may_get(recipient: ReportMailRecipient, *, now: dt.datetime) -> bool:
    """Whether they still may: an admin or above whose account is on, an address outside
    that agreed.
    """
    if recipient.membership is not None:
        member = recipient.membership
        return member.is_enabled and member.is_at_least(Role.ADMIN)
    assert recipient.outside is not None
    return recipient.outside.gets_notices(now)
