"""`manage.py replay <org-slug> FILE…`: a real trace through the metering API of a
running server.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from accounts.actions.api_keys import create_api_key, revoke_api_key
from accounts.actions.audit import Actor
from accounts.management.commands.create_api_key import organization_by_slug
from accounts.models import Organization, Scope
from billing.models.surfaces import Surface, surface_name
from config.kit.errors import BusinessError
from config.kit.money import to_decimal_text
from config.replay import Outcome, Plan, ReplayError, TraceRow, read_trace, replay


class Command(BaseCommand):
    help = (
        "Send a trace of real LLM requests through a running server: check, then"
        " charge, for each request."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to send, as whom and how fast."""
        parser.add_argument("organization", help="slug of the organization")
        parser.add_argument(
            "files",
            nargs="+",
            metavar="FILE",
            help="CSV: TIMESTAMP,ContextTokens,GeneratedTokens",
        )
        parser.add_argument(
            "--surface",
            default=Surface.CLAUDE.value,
            help="short name of a-z, 0-9, _ and - (default claude)",
        )
        parser.add_argument("--model", default="claude-sonnet-5")
        pace = parser.add_mutually_exclusive_group()
        pace.add_argument(
            "--speed",
            type=float,
            default=1.0,
            help="multiple of the trace's own pace (default 1)",
        )
        pace.add_argument(
            "--no-wait", action="store_true", help="as fast as the server answers"
        )
        parser.add_argument(
            "--members",
            type=int,
            default=10,
            help="how many members take turns (default 10)",
        )
        parser.add_argument(
            "--now",
            action="store_true",
            help="stamp events with the current time instead of the trace's",
        )
        parser.add_argument(
            "--server", default=settings.SITE_URL, help="default: SITE_URL"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Send everything, then say what became of it."""
        organization = organization_by_slug(options["organization"])
        if options["speed"] <= 0:
            raise CommandError(
                f"--speed {options['speed']:g} is not above 0; 2 is twice the trace's"
                " pace."
            )
        surface = options["surface"]
        if not surface or surface_name(surface) != surface:
            raise CommandError(
                f"--surface {surface!r} is no short name of a-z, 0-9, _ and -."
            )
        members = self._members(organization, options["members"])
        actor = Actor(label="replay")
        try:
            rows = self._rows(options)
            key, secret = create_api_key(
                organization,
                name="replay",
                scopes=[Scope.METER, Scope.READ],
                actor=actor,
                now=timezone.now(),
            )
            try:
                plan = Plan(
                    server=options["server"],
                    key=secret,
                    surface=options["surface"],
                    model=options["model"],
                    members=members,
                    speed=0.0 if options["no_wait"] else options["speed"],
                    now=options["now"],
                )
                with tqdm(total=len(rows), unit="req", disable=None) as bar:
                    outcome = replay(rows, plan=plan, progress=bar.update)
            finally:
                revoke_api_key(key, actor=actor, now=timezone.now())
        except (ReplayError, BusinessError) as error:
            raise CommandError(str(error)) from error
        self.report(outcome)

    def _members(self, organization: Organization, count: int) -> list[int]:
        active = (
            organization.memberships.enabled().exclude(seat_tier=None).order_by("pk")
        )
        members = list(active.values_list("pk", flat=True)[: max(count, 0)])
        if not members or len(members) < count:
            raise CommandError(
                f"{organization.name} has {active.count()} members with a seat; "
                f"--members {count} is out of range."
            )
        return members

    def _rows(self, options: dict[str, Any]) -> list[TraceRow]:
        names = [options["surface"], options["model"], str(options["members"])]
        salt = "|".join(
            [*names, timezone.now().isoformat()] if options["now"] else names
        )
        return [
            row
            for name in options["files"]
            for row in read_trace(Path(name), salt=salt)
        ]

    def report(self, outcome: Outcome) -> None:
        """The figures, to the nano-dollar."""
        write = self.stdout.write
        write(
            f"{outcome.answered:,} requests answered: {outcome.allowed:,} allowed, "
            f"{outcome.answered - outcome.allowed:,} refused"
        )
        for reason, count in sorted(outcome.refused.items()):
            write(f"  refused {reason}: {count:,}")
        for status, count in sorted(outcome.statuses.items()):
            write(f"  {status}: {count:,}")
        for title, amounts in (
            ("charged now", outcome.charged),
            ("recorded before", outcome.known),
        ):
            for funding, nanos in sorted(amounts.items()):
                write(f"  {title}, {funding}: ${to_decimal_text(nanos)}")
