"""`manage.py reopen_month <org-slug> <YYYY-MM> [--reason TEXT] [--yes]`: take back a close
that came too early; without `--yes` it only says what that would do.
"""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Sum

from accounts.models import Organization
from billing.documents.actions.reopening import EarlyClose, early_close, reopen_month
from billing.documents.queries.months import grace
from billing.documents.rules import closes_at
from billing.management.commands.close_month import month_named, organization_named
from billing.models import Funding, UsageEvent
from config.kit.clock import ClockIsOff, database_now
from config.kit.errors import BusinessError
from config.kit.money import to_decimal_text

NAME = "reopen_month"
WHY = "Closed too early"


class Command(BaseCommand):
    help = (
        "Take back a close that came too early, by a clock that was wrong: the month"
        " takes usage again, its invoice is void. Says what it would do; --yes does it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose month, why, and whether to do it."""
        parser.add_argument("organization", metavar="ORG-SLUG")
        parser.add_argument("month", metavar="YYYY-MM")
        parser.add_argument(
            "--reason", default=WHY, help=f"shown to owners (default: {WHY})"
        )
        parser.add_argument("--yes", action="store_true", help="do it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what becomes of the month and its documents; then do it, if told so."""
        month_on = month_named(options["month"])
        organization = organization_named(options["organization"])
        try:
            now = database_now()
            close = early_close(organization, month_on=month_on, now=now)
            for sentence in _sentences(organization, close, now=now):
                self.stdout.write(sentence)
            if not options["yes"]:
                self.stdout.write("Nothing was changed. Do it with --yes.")
                return
            reopen_month(
                organization.pk,
                month_on=month_on,
                reason=options["reason"],
                command=NAME,
                now=now,
            )
        except (BusinessError, ClockIsOff) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{month_on:%Y-%m} of {organization.name} is open again.")


def _sentences(
    organization: Organization, close: EarlyClose, *, now: dt.datetime
) -> list[str]:
    month = close.month
    due = closes_at(organization.calendar.month(month.month_on), grace=grace())
    return [
        f"{organization.name}, {month} in {month.zone}: closed on"
        f" {_moment(month.closed_at)}. It ends on {_moment(month.ends_at)}, and now it"
        f" is {_moment(now)} by the database's clock.",
        f"- It takes usage again, and closes anew from {_moment(due)}, with a new"
        " document for the whole month.",
        *_about_documents(close),
        *_about_events(organization, close),
    ]


def _moment(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _about_documents(close: EarlyClose) -> list[str]:
    sentences = []
    if close.invoice:
        where = " here and at Stripe" if close.invoice.gateway else ""
        total = to_decimal_text(close.invoice.total_nanos, places=2)
        sentences.append(
            f"- Invoice {close.invoice.number} (${total}) becomes void{where}. Its number"
            " is not given out again."
        )
    if close.statement:
        closing = to_decimal_text(close.statement.closing_nanos)
        sentences.append(
            f"- The statement (closing balance ${closing}) counts no more and is no"
            " longer shown. The balance stays as it is."
        )
    return sentences


def _about_events(organization: Organization, close: EarlyClose) -> list[str]:
    """What was used in the month and reported after its close has its place already."""
    since = UsageEvent.objects.filter(
        organization=organization,
        month_on__gt=close.month.month_on,
        occurred_at__lt=close.month.ends_at,
    )
    number = since.count()
    if not number:
        return []
    extra = since.filter(funding=Funding.EXTRA_USAGE)
    nanos = extra.aggregate(sum=Sum("cost_nanos"))["sum"] or 0
    return [
        f"- {number:,} events reported since the close (extra usage"
        f" ${to_decimal_text(nanos)}) stay in the month they were counted to."
    ]
