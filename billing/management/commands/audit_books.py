"""`manage.py audit_books`: prove that every counter equals its events; exit 1 with the
differences (E8).
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from billing.books import differences
from billing.models import UsageEvent


class Command(BaseCommand):
    help = (
        "Check every counter, window and cost against the events; exit 1 and name "
        "each row that differs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the differences, or that there are none."""
        found = 0
        for difference in differences():
            found += 1
            self.stdout.write(str(difference))
        events = UsageEvent.objects.count()
        if found:
            self.stdout.write(f"{found} differences in the books of {events:,} events.")
            sys.exit(1)
        self.stdout.write(
            f"The books are clean: every counter equals its events ({events:,} events)."
        )
