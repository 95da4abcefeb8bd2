"""`manage.py flush`: Django's own, which refuses a database that holds books."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush

from config.reversals import refuse_to_empty


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        """Raises CommandError before anything is asked or emptied."""
        refuse_to_empty(options["database"])
        super().handle(**options)
