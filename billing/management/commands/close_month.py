"""`manage.py close_month <org-slug> <YYYY-MM> [--dry-run]`: close one month, or explain
what its close would do (P2).
"""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from billing.documents.actions.months import check_may_close, draft_month, freeze_month
from billing.documents.closing import close_to_the_end
from billing.documents.queries.months import grace
from billing.documents.rules import closes_at
from billing.models import BillingMonth, Invoice, Statement
from config.kit.errors import BusinessError
from config.kit.money import to_decimal_text
from config.kit.months import month_from_text


class Undo(Exception):
    """Ends a dry run's transaction."""


class Command(BaseCommand):
    help = (
        "Close one month of an organization: freeze it, issue its invoice or statement."
        " Closing it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, which, and whether to look only."""
        parser.add_argument("organization", metavar="ORG-SLUG")
        parser.add_argument("month", metavar="YYYY-MM")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="show what closing would do, without changing anything",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Close or explain."""
        month_on = _month(options["month"])
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization “{options['organization']}”.")
        self._explain(organization, month_on)
        try:
            if options["dry_run"]:
                self._rehearse(organization, month_on)
            else:
                self._close(organization, month_on)
        except BusinessError as error:
            raise CommandError(str(error)) from error

    def _explain(self, organization: Organization, month_on: dt.date) -> None:
        month = organization.calendar.month(month_on)
        due = closes_at(month, grace=grace())
        self.stdout.write(
            f"{organization.name}, {month_on:%Y-%m} in {month.zone}: "
            f"{month.start:%Y-%m-%d %H:%M} to {month.end:%Y-%m-%d %H:%M} UTC; can be "
            f"closed from {due:%Y-%m-%d %H:%M} UTC."
        )

    def _rehearse(self, organization: Organization, month_on: dt.date) -> None:
        """Everything up to the numbers, inside a transaction that is undone."""
        known = BillingMonth.objects.filter(
            organization=organization, month_on=month_on
        ).first()
        if known is None or known.state == BillingMonth.State.FROZEN:
            try:
                with transaction.atomic():
                    now = timezone.now()
                    if known is None:
                        check_may_close(organization, month_on=month_on, now=now)
                    draft_month(
                        freeze_month(organization.pk, month_on=month_on, now=now).pk,
                        now=now,
                    )
                    self._documents(organization, month_on, would=True)
                    raise Undo
            except Undo:
                self.stdout.write("Nothing was changed.")
            return
        self._documents(
            organization, month_on, would=known.state != BillingMonth.State.CLOSED
        )

    def _close(self, organization: Organization, month_on: dt.date) -> None:
        known = BillingMonth.objects.filter(
            organization=organization, month_on=month_on
        ).first()
        if known is not None and known.state == BillingMonth.State.CLOSED:
            self.stdout.write(
                f"It was closed on {known.closed_at:%Y-%m-%d %H:%M} UTC; nothing was"
                " changed."
            )
        else:
            closed = close_to_the_end(
                freeze_month(organization.pk, month_on=month_on, now=timezone.now())
            )
            self.stdout.write(f"Closed. {len(closed.mails)} mails queued.")
        self._documents(organization, month_on, would=False)

    def _documents(
        self, organization: Organization, month_on: dt.date, *, would: bool
    ) -> None:
        """What the month came to."""
        verb = "would be" if would else "is"
        invoice = Invoice.objects.filter(
            organization=organization, month_on=month_on
        ).first()
        statement = Statement.objects.filter(
            organization=organization, month_on=month_on
        ).first()
        if invoice:
            named = f"Invoice {invoice.number}" if invoice.number else "An invoice"
            self.stdout.write(
                f"{named} {verb} ${to_decimal_text(invoice.total_nanos, places=2)}: "
                f"{invoice.lines.count():,} lines, exactly "
                f"${to_decimal_text(invoice.exact_nanos)}; "
                f"${to_decimal_text(invoice.carried_in_nanos)} carried in, "
                f"${to_decimal_text(invoice.carried_out_nanos)} carried over."
            )
        if statement:
            self.stdout.write(
                f"A statement {verb} issued: opening balance "
                f"${to_decimal_text(statement.opening_nanos)}, closing balance "
                f"${to_decimal_text(statement.closing_nanos)}."
            )
        if not invoice and not statement:
            self.stdout.write(
                "There was nothing to bill and the balance didn't move, so there is "
                "neither an invoice nor a statement."
            )


def _month(text: str) -> dt.date:
    """The first day of a month written YYYY-MM. Raises CommandError."""
    month_on = month_from_text(text)
    if month_on is None:
        raise CommandError(
            f"“{text}” is not a month. Write it as YYYY-MM, such as 2026-11."
        )
    return month_on
