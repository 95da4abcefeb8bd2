"""`manage.py erase_person <address>`: what would be replaced where; `--yes` does it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.actions.audit import Actor
from accounts.actions.erasing import erase_person, rehearse_erasure
from accounts.models import User
from config.kit.addresses import canonical_address
from config.kit.errors import BusinessError

HOW = {"replaced": "to replace", "deleted": "to delete", "kept": "kept"}
DONE = {"replaced": "replaced", "deleted": "deleted", "kept": "kept"}


class Command(BaseCommand):
    help = (
        "Erase a person: a pseudonym takes the place of their name and address in every "
        "table. Without --yes, only say what would be replaced."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom, and whether to do it."""
        parser.add_argument("address", help="the e-mail address they sign in with")
        parser.add_argument("--yes", action="store_true", help="do it; no way back")

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase, or tell what would be erased."""
        person = person_by_address(options["address"])
        act = erase_person if options["yes"] else rehearse_erasure
        actor = Actor(label="erase_person")
        try:
            erasure, touched = act(person, actor=actor, now=timezone.now())
        except BusinessError as error:
            raise CommandError(str(error)) from error
        words = DONE if options["yes"] else HOW
        for one in touched:
            columns = f" ({one.columns})" if one.columns else ""
            self.stdout.write(f"{one.rows:>9,} {words[one.how]}: {one.table}{columns}")
        if options["yes"]:
            self.stdout.write(f"Erased. In the books they are “{erasure.name}” now.")
        else:
            self.stdout.write("Nothing was changed. To erase them, add --yes.")


def person_by_address(address: str) -> User:
    """The person; CommandError where nobody has the address."""
    person = User.objects.filter(email=canonical_address(address)).first()
    if person is None:
        raise CommandError(f"Nobody signs in with “{address}”.")
    return person
