"""Booking what the prices of today mean for events priced before (M4): visible
adjustments, never an edit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import QuerySet

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import AuditEntry, Organization
from billing.ledger.queries import open_month
from billing.metering.actions.adjustments import book_adjustments
from billing.metering.queries.repriced import (
    Difference,
    differences_of,
    events_priced_otherwise,
)
from billing.metering.queries.unattributed import payers_of
from billing.metering.queries.untold import (
    REPRICING,
    untold_of,
)
from billing.models import UsageAdjustment, UsageEvent
from billing.payments.actions.owner_mails import REPRICED, queue_for_owners
from billing.prices.queries import read_price_book
from billing.prices.rules import PriceBook
from config.kit.months import Month

# Events repriced in one transaction: recording waits for the lock no longer than that.
BATCH = 500
# Under which name the activity keeps a run that no person started.
COMMAND = "reprice_events"


@dataclass(slots=True)
class Repriced:
    """What was (or would be) booked; amounts in nano-USD. `events` are those looked at."""

    events: int = 0
    adjusted: int = 0
    nanos: int = 0
    by_model: dict[str, int] = field(default_factory=dict)
    # By the organization's slug: how many events, and how much.
    by_organization: dict[str, tuple[int, int]] = field(default_factory=dict)
    # By model and the event's own month: how many differences, and how much.
    by_month: dict[tuple[str, dt.date], tuple[int, int]] = field(default_factory=dict)

    def count(self, slug: str, differences: list[Difference]) -> None:
        """Count what was booked for events of one organization."""
        for difference in differences:
            model = difference.model
            self.by_model[model] = self.by_model.get(model, 0) + difference.nanos
            line = (model, difference.event.month_on)
            count, sum_nanos = self.by_month.get(line, (0, 0))
            self.by_month[line] = (count + 1, sum_nanos + difference.nanos)
        nanos = sum(difference.nanos for difference in differences)
        events = len({difference.event.pk for difference in differences})
        self.adjusted += events
        self.nanos += nanos
        events_before, nanos_before = self.by_organization.get(slug, (0, 0))
        self.by_organization[slug] = (events_before + events, nanos_before + nanos)


def reprice_events(
    *,
    now: dt.datetime,
    dry_run: bool = False,
    models: Collection[str] | None = None,
    book: PriceBook | None = None,
    actor: Actor | None = None,
    organization_ids: Collection[int] | None = None,
    latest: int | None = None,
) -> Repriced:
    """Book the difference between what each event comes to and what it costs at the
    prices in force; only for events of `models` where those are given, only of some
    organizations where those are, and of the `latest` so many of each to estimate.

    Booked to the organization's current month under its lock, to the side that paid the
    event; owners read it in their activity and by mail, at the latest by the sweep that
    follows from the rows. Running it again books nothing more. `book` stands for the
    prices in force, to see what others would do.
    """
    book = book or read_price_book()
    repriced = Repriced()
    organizations = Organization.objects.order_by("pk")
    if organization_ids is not None:
        organizations = organizations.filter(pk__in=organization_ids)
    for organization in organizations:
        _reprice_organization(
            organization,
            repriced,
            book=book,
            models=models,
            now=now,
            dry_run=dry_run,
            actor=actor or Actor(label=COMMAND),
            latest=latest,
        )
    return repriced


def _reprice_organization(
    organization: Organization,
    repriced: Repriced,
    *,
    book: PriceBook,
    models: Collection[str] | None,
    now: dt.datetime,
    dry_run: bool,
    actor: Actor,
    latest: int | None,
) -> None:
    found = events_priced_otherwise(organization.pk, book, models=models, latest=latest)
    repriced.events += found.looked_at
    booked: list[Difference] = []
    for ids in _batches(found.ids):
        if dry_run:
            booked += _with_money(differences_of(_events(ids), book))
        else:
            booked += _reprice_batch(organization.pk, ids, book=book, now=now)
    if booked:
        repriced.count(organization.slug, booked)
    if not dry_run:
        tell_of_repricing(organization.pk, actor=actor, now=now)


def _batches(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def _events(ids: list[int]) -> QuerySet[UsageEvent]:
    return UsageEvent.objects.filter(pk__in=ids).order_by("pk")


def _with_money(differences: Iterator[Difference]) -> list[Difference]:
    return [difference for difference in differences if difference.nanos]


@transaction.atomic
def _reprice_batch(
    organization_id: int, ids: list[int], *, book: PriceBook, now: dt.datetime
) -> list[Difference]:
    # Read under the lock: another run, or an operator, may have booked meanwhile.
    locked = lock_organization(organization_id)
    differences = _with_money(differences_of(_events(ids), book))
    if differences:
        month = open_month(locked, now=now)
        payers = payers_of([difference.event for difference in differences])
        book_adjustments(
            locked,
            [
                _adjustment(month, difference, payers[difference.event.pk], now=now)
                for difference in differences
            ],
            now=now,
        )
    return differences


def _adjustment(
    month: Month, difference: Difference, membership_id: int, *, now: dt.datetime
) -> UsageAdjustment:
    event = difference.event
    return UsageAdjustment(
        organization_id=event.organization_id,
        membership_id=membership_id,
        event=event,
        part=difference.part,
        amount_nanos=difference.nanos,
        prepaid=event.prepaid,
        price_id=difference.price_id,
        reason=difference.reason,
        created_at=now,
        month_on=month.first_on,
        day_on=month.day_of(now),
    )


@transaction.atomic
def tell_of_repricing(
    organization_id: int, *, actor: Actor, now: dt.datetime
) -> AuditEntry | None:
    """Owners read in their activity and by mail what was booked since they were told
    last, once; None where there is nothing.
    """
    locked = lock_organization(organization_id)
    untold = untold_of(organization_id, now=now)
    if not untold.through:
        return None
    entry = record_change(
        locked,
        actor=actor,
        action=REPRICING,
        subject=", ".join(sorted(untold.models)),
        now=now,
        to_value=untold.as_audited,
    )
    assert entry is not None  # there was no value before
    queue_for_owners(
        locked, REPRICED, key=f"{entry.pk}", facts=untold.as_mailed, now=now
    )
    return entry
