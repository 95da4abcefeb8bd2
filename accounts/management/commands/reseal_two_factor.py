"""`manage.py reseal_two_factor`: encrypt two-factor secrets with the key of today, so that
an earlier one can be forgotten.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.actions.two_factor import reseal_all


class Command(BaseCommand):
    help = "Encrypt all two-factor secrets with the present key. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many, and of whom no key opens one."""
        resealed, lost = reseal_all()
        self.stdout.write(f"Encrypted anew: {resealed}.")
        for email in lost:
            self.stderr.write(
                f"No key opens the two-factor secret of {email}; reset it in the admin."
            )
