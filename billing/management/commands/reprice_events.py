"""`manage.py reprice_events`: book what new or corrected prices mean for events priced
before (M4).
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
        "Book the difference as adjustments where a model got a price or a price was "
        "corrected. Running it again books nothing more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Only look, or do it."""
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="show what would be booked, without booking anything",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Book and report by model."""
        done = reprice_events(now=timezone.now(), dry_run=options["dry_run"])
        for model, nanos in sorted(done.by_model.items()):
            self.stdout.write(f"{model}: ${to_decimal_text(nanos)}")
        verb = "would be adjusted" if options["dry_run"] else "adjusted"
        self.stdout.write(
            f"{done.events} events checked, {done.adjusted} {verb}, "
            f"${to_decimal_text(done.nanos)} in total"
        )
