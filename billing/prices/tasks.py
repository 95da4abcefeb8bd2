"""Jobs of prices. Safe to run twice, at once and late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.actions.audit import Actor
from billing.prices.actions import sync_prices


@shared_task
def sync_model_prices() -> tuple[int, int]:
    """Take over the rates of the installed price package and the settings; how many
    rows were added and corrected.
    """
    changes = sync_prices(actor=Actor(label="nightly price job"), now=timezone.now())
    return len(changes.added), len(changes.corrected)
