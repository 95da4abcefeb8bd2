"""`manage.py reprice_events [--dry-run]`: book what new or corrected prices mean for
events that were priced before (M4).
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from billing.metering.actions.repricing import reprice_events
from config.kit.money import to_decimal_text


class Command(BaseCommand):
    help = (
        "Book the difference as adjustments for every event that the prices of today "
        "would price otherwise. Running it again books nothing more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="show what would be booked, without booking anything",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Book the differences and print them by model and organization, in USD."""
        repriced = reprice_events(now=timezone.now(), dry_run=options["dry_run"])
        for model, nanos in sorted(repriced.by_model.items()):
            self.stdout.write(f"{model}: ${to_decimal_text(nanos)}")
        for slug, (events, nanos) in sorted(repriced.by_organization.items()):
            self.stdout.write(f"{slug}: {events} events, ${to_decimal_text(nanos)}")
        verb = "would be adjusted" if options["dry_run"] else "adjusted"
        self.stdout.write(
            f"{repriced.events} events checked, {repriced.adjusted} {verb}, "
            f"${to_decimal_text(repriced.nanos)} in total"
        )
