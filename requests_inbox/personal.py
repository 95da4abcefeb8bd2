"""What the inbox holds about people."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.models import AuditEntry
from config.kit.personal import Personal, declare


def _audited_names(user: Any) -> QuerySet[Any, Any]:
    """Of decisions the subject is the member's name on that day."""
    entries = AuditEntry.objects.filter(
        action__startswith="request.", membership__user=user
    )
    return entries.values_list("subject", flat=True)


declare(
    Personal(
        "requests_inbox.UsageRequest",
        person="membership__user",
        copies={"note": ""},
        texts=("answer_note", "decided_by_label"),
        plain=("status", "seat_tier", "reason", "granted_tier"),
        within="organization",
        exported=(
            "organization__name",
            "created_at",
            "month_on",
            "status",
            "reason",
            "note",
            "asked_nanos",
            "spent_nanos",
            "cap_nanos",
            "cap_before_nanos",
            "ended_at",
            "answer_note",
            "granted_nanos",
            "granted_month_only",
            "granted_tier",
        ),
        past_names=_audited_names,
    ),
    Personal("requests_inbox.DigestRun"),
    Personal(
        "requests_inbox.DigestOptOut",
        person="membership__user",
        exported=("membership__organization__name", "at"),
    ),
)
