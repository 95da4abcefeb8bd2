"""Closing months: a door, so it reads the clock and sends the mails that are due.

The clock is the database's, which all hosts share: no month is closed by a host's own
against it. A host that is off raises ClockIsOff, and another one closes.

Each step is an act of its own (`actions.months`). Whoever dies in between leaves a row
that says how far it came, and anybody goes on from there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import structlog

from accounts.models import Organization
from accounts.tasks import send_soon
from billing.documents.actions.months import (
    ClosedMonth,
    draft_month,
    finish_month,
    freeze_month,
)
from billing.documents.queries.months import due_months
from billing.models import BillingMonth
from config.kit.clock import database_now
from config.kit.errors import BusinessError

log = structlog.get_logger(__name__)


def close_due(
    organization_id: int, *, now: dt.datetime | None = None
) -> list[ClosedMonth]:
    """Close every month of an organization that is due, oldest first.

    Goes on from wherever the last try was left. `now` is for simulated moments; jobs
    leave it to the clock. Raises ClockIsOff.
    """
    organization = Organization.objects.get(pk=organization_id)
    closed: list[ClosedMonth] = []
    try:
        for month in _frozen_months(organization, now=now):
            closed.append(close_to_the_end(month, now=now))
    # Another worker closes the same months at this moment; it goes on.
    except BusinessError as error:
        log.info("month.in_other_hands", organization=organization_id, code=error.code)
    return closed


def _frozen_months(
    organization: Organization, *, now: dt.datetime | None
) -> Iterator[BillingMonth]:
    """Months left half-closed, then those that are due, each frozen when it is reached."""
    unfinished = BillingMonth.objects.unfinished().filter(organization=organization)
    yield from unfinished.order_by("month_on")
    for month_on in due_months(organization, now=now or database_now()):
        yield freeze_month(
            organization.pk, month_on=month_on, now=now or database_now()
        )


def close_to_the_end(
    month: BillingMonth, *, now: dt.datetime | None = None
) -> ClosedMonth:
    """Draft and finish a frozen month, whichever of it is still to do, and mail it.

    Raises ClockIsOff.
    """
    draft_month(month.pk, now=now or database_now())
    closed = finish_month(month.pk, now=now or database_now())
    send_soon(closed.mails)
    if closed.mails or closed.invoice or closed.statement:
        log.info(
            "month.closed",
            organization=month.organization_id,
            month=f"{month.month_on:%Y-%m}",
            invoice=closed.invoice.number if closed.invoice else None,
        )
    return closed
