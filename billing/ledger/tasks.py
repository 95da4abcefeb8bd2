"""Jobs of the ledger. Safe to run twice, at once and late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from billing.ledger.actions import roll_up_days
from billing.models import PendingCharge
from config.kit.jobs import for_each


@shared_task
def roll_up_charges() -> int:
    """Move the usage of local days that are over into the ledgers; how many entries."""
    organizations = list(
        PendingCharge.objects.values_list("organization_id", flat=True).distinct()
    )
    return sum(
        for_each(
            organizations,
            lambda pk: roll_up_days(pk, now=timezone.now()),
            failed="billing.roll_up_failed",
        )
    )
