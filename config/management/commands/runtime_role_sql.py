"""`manage.py runtime_role_sql ROLE`: the GRANTs for the role that serves, for psql."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.runtime_role import statements


class Command(BaseCommand):
    help = (
        "Print the SQL that lets a PostgreSQL role run the product without owning its"
        " tables. Run it as their owner, after each migrate: docs/operations/"
        "database-roles.md."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="a role that exists and owns nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        role: str = options["role"].strip()
        if not role or "\0" in role or len(role.encode()) > 63:
            raise CommandError("A role's name has 1 to 63 bytes.")
        self.stdout.write("BEGIN;")
        for statement in statements(role):
            self.stdout.write(f"{statement};")
        self.stdout.write("COMMIT;")
