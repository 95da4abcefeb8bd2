"""`manage.py reseal_two_factor`: encrypt two-factor secrets, and all others that are kept
sealed, with the key of today, so that an earlier one can be forgotten.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.actions.two_factor import reseal_all
from accounts.sealing import RESEALED


class Command(BaseCommand):
    help = (
        "Encrypt all two-factor secrets, and the addresses and signing secrets of"
        " channels, with the present key. Safe to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many, and of whom no key opens one."""
        resealed, lost = reseal_all()
        self.stdout.write(f"Encrypted anew: {resealed}.")
        for email in lost:
            self.stderr.write(
                f"No key opens the two-factor secret of {email}; reset it in the admin."
            )
        for kind, reseal in RESEALED.items():
            count, unopened = reseal()
            self.stdout.write(f"Encrypted anew, of kind {kind}: {count}.")
            for name in unopened:
                self.stderr.write(
                    f"No key opens the {kind} “{name}”; it has to be added again."
                )
