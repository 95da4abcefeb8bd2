"""`manage.py skip_numbers [ORG-SLUG] (--by N | --to N --series …) [--reason TEXT] [--yes]`:
after a restore to an earlier hour, never give out again the numbers of invoices, credit
notes and receipts that were given out since; without `--yes` it only says what it would
do.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Organization
from billing.management.commands.close_month import organization_named
from billing.models import NumberGap, Series
from billing.models.number_gaps import number_of
from billing.payments.actions.numbering import last_sequence, skip_numbers
from config.kit.clock import ClockIsOff, database_now
from config.kit.errors import BusinessError

NAME = "skip_numbers"
WHY = "The database was restored from a backup"


class Command(BaseCommand):
    help = (
        "After a restore, leave out the numbers of documents that may have been given"
        " out since the hour of the backup. Says what it would do; --yes does it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose numbers, which, how many, why, and whether to do it."""
        parser.add_argument(
            "organization",
            metavar="ORG-SLUG",
            nargs="?",
            help="one organization (default: each)",
        )
        how_many = parser.add_mutually_exclusive_group(required=True)
        how_many.add_argument(
            "--by", type=int, metavar="N", help="leave out the next N numbers"
        )
        how_many.add_argument(
            "--to",
            type=int,
            metavar="N",
            help="leave out all up to N, the last one that was given out",
        )
        parser.add_argument("--series", choices=Series.values, help="(default: all)")
        parser.add_argument(
            "--reason", default=WHY, help=f"shown to owners (default: {WHY})"
        )
        parser.add_argument("--yes", action="store_true", help="do it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say which numbers are left out; leave them out if told so."""
        if (options["by"] or options["to"] or 0) < 1:
            raise CommandError("Give a whole number of at least 1.")
        if options["to"] and not (options["organization"] and options["series"]):
            raise CommandError("--to is about one organization and one --series.")
        try:
            lines = list(_lines(options))
        except (BusinessError, ClockIsOff) as error:
            raise CommandError(str(error)) from error
        for line in lines:
            self.stdout.write(line)
        if not options["yes"]:
            self.stdout.write("Nothing was changed. Do it with --yes.")


def _lines(options: dict[str, Any]) -> Iterator[str]:
    all_series = [Series(options["series"])] if options["series"] else list(Series)
    for organization in _organizations(options["organization"]):
        for series in all_series:
            yield _one(organization, series, options)


def _organizations(slug: str | None) -> list[Organization]:
    if slug:
        return [organization_named(slug)]
    return list(Organization.objects.order_by("slug"))


def _one(organization: Organization, series: Series, options: dict[str, Any]) -> str:
    last = last_sequence(organization, series)
    through = options["to"] or last + options["by"]
    about = f"{organization.slug}, {series}"
    if through <= last:
        is_last = number_of(organization, series, last)
        return f"{about}: nothing to leave out, the last number is {is_last}."
    if not options["yes"]:
        gap = NumberGap(
            organization=organization,
            series=series,
            from_sequence=last + 1,
            through_sequence=through,
        )
        return f"{about}: {gap.numbers} would be left out."
    kept = skip_numbers(
        organization.pk,
        series=series,
        through=through,
        reason=options["reason"],
        command=NAME,
        now=database_now(),
    )
    return f"{about}: {kept.numbers if kept else 'nothing'} left out."
