"""`manage.py audit_books`: prove that every counter equals its events (E8).

Prints each difference and ends with exit code 1, or says that there is none.
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
        count = 0
        for difference in differences():
            count += 1
            self.stdout.write(str(difference))
        events = UsageEvent.objects.count()
        if count:
            self.stdout.write(f"{count} differences in the books of {events:,} events.")
            sys.exit(1)
        self.stdout.write(
            f"The books are clean: every counter equals its events ({events:,} events)."
        )
