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
from accounts.models import Organization
from billing.metering.actions.adjustments import book_adjustments
from billing.metering.queries.repriced import (
    Difference,
    differences_of,
    events_priced_otherwise,
)
from billing.models import UsageAdjustment, UsageEvent
from billing.payments.actions.owner_mails import REPRICED, queue_for_owners
from billing.prices.queries import read_price_book
from billing.prices.rules import PriceBook

# Events repriced in one transaction: recording waits for the lock no longer than that.
BATCH = 500


@dataclass(slots=True)
class Repriced:
    """What was (or would be) booked; amounts in nano-USD. `events` are those looked at."""

    events: int = 0
    adjusted: int = 0
    nanos: int = 0
    by_model: dict[str, int] = field(default_factory=dict)
    # By the organization's slug: how many events, and how much.
    by_organization: dict[str, tuple[int, int]] = field(default_factory=dict)

    def count(self, slug: str, differences: list[Difference]) -> None:
        """Count what was booked for events of one organization."""
        for difference in differences:
            model = difference.model
            self.by_model[model] = self.by_model.get(model, 0) + difference.nanos
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
) -> Repriced:
    """Book the difference between what each event comes to and what it costs at the
    prices in force; only for events of `models` where those are given.

    Booked to the organization's current month under its lock, to the side that paid the
    event; owners read it in their activity and by mail. Running it again books nothing
    more. `book` stands for the prices in force, to see what others would do.
    """
    book = book or read_price_book()
    repriced = Repriced()
    for organization in Organization.objects.order_by("pk"):
        _reprice_organization(
            organization,
            repriced,
            book=book,
            models=models,
            now=now,
            dry_run=dry_run,
            actor=actor or Actor(label="reprice_events"),
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
) -> None:
    found = events_priced_otherwise(organization.pk, book, models=models)
    repriced.events += found.looked_at
    booked: list[Difference] = []
    for ids in _batches(found.ids):
        if dry_run:
            booked += _with_money(differences_of(_events(ids), book))
        else:
            booked += _reprice_batch(organization.pk, ids, book=book, now=now)
    if not booked:
        return
    repriced.count(organization.slug, booked)
    if not dry_run:
        _tell(organization, booked, actor=actor, now=now)


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
        book_adjustments(
            locked,
            [_adjustment(locked, difference, now=now) for difference in differences],
        )
    return differences


def _adjustment(
    locked: Organization, difference: Difference, *, now: dt.datetime
) -> UsageAdjustment:
    event = difference.event
    month = locked.calendar.month_at(now)
    return UsageAdjustment(
        organization_id=locked.pk,
        membership_id=event.membership_id,
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
def _tell(
    organization: Organization,
    booked: list[Difference],
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Owners read what was booked in their activity, and by mail once a run."""
    locked = lock_organization(organization.pk)
    nanos = sum(difference.nanos for difference in booked)
    models = sorted({difference.model for difference in booked})
    entry = record_change(
        locked,
        actor=actor,
        action="usage.repricing",
        subject=", ".join(models),
        now=now,
        to_value=nanos,
    )
    if entry is None:
        return
    by_reason: dict[str, int] = {}
    for difference in booked:
        reason = difference.reason
        by_reason[reason] = by_reason.get(reason, 0) + difference.nanos
    queue_for_owners(
        locked,
        REPRICED,
        key=f"{entry.pk}",
        facts={
            "nanos": nanos,
            "events": len({difference.event.pk for difference in booked}),
            "models": models[:10],
            "by_reason": by_reason,
        },
        now=now,
    )
