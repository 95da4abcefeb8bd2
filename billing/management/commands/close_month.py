"""`manage.py close_month <org-slug> <YYYY-MM> [--dry-run]`: close one month by hand, or
show what its close would come to (P2).
"""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Organization
from billing.documents.actions.months import check_may_close, draft_month, freeze_month
from billing.documents.closing import close_to_the_end
from billing.documents.queries.months import grace
from billing.documents.rules import closes_at
from billing.models import BillingMonth, Invoice, Statement
from config.kit.clock import ClockIsOff, database_now
from config.kit.errors import BusinessError
from config.kit.money import to_decimal_text
from config.kit.months import month_from_text


class DryRunEnds(Exception):
    """Undoes the transaction of a dry run."""


class Command(BaseCommand):
    help = (
        "Close one month of an organization: freeze it, issue its invoice or statement."
        " Closing it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", metavar="ORG-SLUG")
        parser.add_argument("month", metavar="YYYY-MM")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="show what closing would do, without changing anything",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say when the month may close; then close it, or show what that would do."""
        month_on = month_named(options["month"])
        organization = organization_named(options["organization"])
        self._say_when_it_closes(organization, month_on)
        try:
            if options["dry_run"]:
                self._dry_run(organization, month_on)
            else:
                self._close(organization, month_on)
        except (BusinessError, ClockIsOff) as error:
            raise CommandError(str(error)) from error

    def _say_when_it_closes(
        self, organization: Organization, month_on: dt.date
    ) -> None:
        month = organization.calendar.month(month_on)
        due = closes_at(month, grace=grace())
        self.stdout.write(
            f"{organization.name}, {month_on:%Y-%m} in {month.zone}: "
            f"{month.start:%Y-%m-%d %H:%M} to {month.end:%Y-%m-%d %H:%M} UTC; can be "
            f"closed from {due:%Y-%m-%d %H:%M} UTC."
        )

    def _dry_run(self, organization: Organization, month_on: dt.date) -> None:
        month = _month_row(organization, month_on)
        if month is not None and month.state != BillingMonth.State.FROZEN:
            is_closed = month.state == BillingMonth.State.CLOSED
            self._say_what_it_came_to(organization, month_on, would=not is_closed)
            return
        try:
            with transaction.atomic():
                self._draft(organization, month_on, is_open=month is None)
                self._say_what_it_came_to(organization, month_on, would=True)
                raise DryRunEnds
        except DryRunEnds:
            self.stdout.write("Nothing was changed.")

    def _draft(
        self, organization: Organization, month_on: dt.date, *, is_open: bool
    ) -> None:
        """Everything up to the numbers, inside the transaction that will be undone."""
        now = database_now()
        if is_open:  # refused before the lock is taken
            check_may_close(organization, month_on=month_on, now=now)
        frozen = freeze_month(organization.pk, month_on=month_on, now=now)
        draft_month(frozen.pk, now=now)

    def _close(self, organization: Organization, month_on: dt.date) -> None:
        month = _month_row(organization, month_on)
        if month is not None and month.state == BillingMonth.State.CLOSED:
            self.stdout.write(
                f"It was closed on {month.closed_at:%Y-%m-%d %H:%M} UTC; nothing was"
                " changed."
            )
        else:
            frozen = freeze_month(
                organization.pk, month_on=month_on, now=database_now()
            )
            closed = close_to_the_end(frozen)
            self.stdout.write(f"Closed. {len(closed.mails)} mails queued.")
        self._say_what_it_came_to(organization, month_on, would=False)

    def _say_what_it_came_to(
        self, organization: Organization, month_on: dt.date, *, would: bool
    ) -> None:
        verb = "would be" if would else "is"
        month = _month_row(organization, month_on)
        of_month = {
            "organization": organization,
            "month_on": month_on,
            "edition": month.edition if month else 1,
        }
        invoice = Invoice.objects.filter(**of_month).first()
        statement = Statement.objects.filter(**of_month).first()
        if invoice:
            self.stdout.write(_invoice_sentence(invoice, verb=verb))
        if statement:
            self.stdout.write(_statement_sentence(statement, verb=verb))
        if not invoice and not statement:
            self.stdout.write(
                "There was nothing to bill and the balance didn't move, so there is "
                "neither an invoice nor a statement."
            )


def month_named(text: str) -> dt.date:
    """The first day of a month written YYYY-MM. Raises CommandError."""
    month_on = month_from_text(text)
    if month_on is None:
        raise CommandError(
            f"“{text}” is not a month. Write it as YYYY-MM, such as 2026-11."
        )
    return month_on


def organization_named(slug: str) -> Organization:
    """The organization with that slug. Raises CommandError."""
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        raise CommandError(f"There is no organization “{slug}”.")
    return organization


def _month_row(organization: Organization, month_on: dt.date) -> BillingMonth | None:
    """How far the month came; None while it is open."""
    months = BillingMonth.objects.filter(organization=organization, month_on=month_on)
    return months.first()


def _invoice_sentence(invoice: Invoice, *, verb: str) -> str:
    name = f"Invoice {invoice.number}" if invoice.number else "An invoice"
    return (
        f"{name} {verb} ${to_decimal_text(invoice.total_nanos, places=2)}: "
        f"{invoice.lines.count():,} lines, exactly "
        f"${to_decimal_text(invoice.exact_nanos)}; "
        f"${to_decimal_text(invoice.carried_in_nanos)} carried in, "
        f"${to_decimal_text(invoice.carried_out_nanos)} carried over."
    )


def _statement_sentence(statement: Statement, *, verb: str) -> str:
    return (
        f"A statement {verb} issued: opening balance "
        f"${to_decimal_text(statement.opening_nanos)}, closing balance "
        f"${to_decimal_text(statement.closing_nanos)}."
    )
