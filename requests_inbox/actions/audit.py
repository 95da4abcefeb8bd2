"""What the audit keeps of decisions (C8): which request, whose, and how it was decided."""

from __future__ import annotations

import datetime as dt

from accounts.actions.audit import Actor, record_change
from requests_inbox.models import UsageRequest

ACTIONS: dict[str, str] = {
    UsageRequest.Status.APPROVED: "request.approve",
    UsageRequest.Status.DISMISSED: "request.dismiss",
}


def audit_decision(
    request: UsageRequest, status: str, *, actor: Actor, now: dt.datetime
) -> None:
    """Keep a decision with what was asked and what was granted (nano-USD), or the note.

    What an approval changed, a cap or a seat, has an entry of its own.
    """
    organization, asked_at = request.membership.organization, request.created_at
    asked = {
        "request": request.pk,
        "asked_on": organization.calendar.month_at(asked_at)
        .day_of(asked_at)
        .isoformat(),
        "asked_nanos": request.asked_nanos,
        "spent_nanos": request.spent_nanos,
        "cap_nanos": request.cap_nanos,
    }
    decided = {
        "granted_nanos": request.granted_nanos,
        "month_only": request.granted_month_only,
        "granted_tier": request.granted_tier,
        "note": request.answer_note,
    }
    record_change(
        organization,
        actor=actor,
        action=ACTIONS[status],
        subject=str(request.membership.user),
        now=now,
        membership=request.membership,
        from_value=asked,
        to_value=decided,
    )
