"""`manage.py export_person <address> --to FILE`: all that is kept about a person."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.exporting import archive_of
from accounts.management.commands.erase_person import person_by_address


class Command(BaseCommand):
    help = "Write all that is kept about a person to a ZIP of JSON files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and where to."""
        parser.add_argument("address", help="the e-mail address they sign in with")
        parser.add_argument("--to", required=True, metavar="FILE", help="a new file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, for its owner's eyes; an existing one stays as it is."""
        person = person_by_address(options["address"])
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            with os.fdopen(os.open(options["to"], flags, 0o600), "wb") as file:
                for piece in archive_of(person, now=timezone.now()):
                    file.write(piece)
        except OSError as error:
            raise CommandError(
                f"{options['to']} can't be written: {error.strerror}."
            ) from error
        self.stdout.write(f"Written: {options['to']}")
