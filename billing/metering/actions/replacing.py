"""A gateway's word instead of telemetry's (X4): the event stays as it was recorded, and an
adjustment books what the gateway's count costs more or less.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from django.db.models import Sum

from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.ledger.queries import open_month
from billing.metering.actions.adjustments import book_adjustments
from billing.metering.actions.known import key_of_report
from billing.metering.actions.rows.windows import correct_windows
from billing.metering.queries.repriced import costs_today
from billing.metering.queries.unattributed import payers_of
from billing.metering.rules.again import KnownEvent
from billing.metering.rules.events import ReportedEvent
from billing.metering.rules.pricing import counted_of
from billing.models import (
    GATEWAY_COUNTED,
    AdjustmentSource,
    Funding,
    UsageAdjustment,
    UsageEvent,
)
from billing.notices.actions.noticing import notice_windows
from billing.notices.rules.facts import WindowMove
from billing.prices.rules import PriceBook
from config.kit.months import Month


class Replacement(NamedTuple):
    """A recorded event, and the gateway's report whose count holds, with what that costs
    at the prices in force; and how much the member's windows hold, by their names.
    """

    known: KnownEvent
    event: ReportedEvent
    cost_nanos: int
    limits: dict[str, int]


def book_replacements(
    replacements: Sequence[Replacement],
    *,
    organization_id: int,
    book: PriceBook,
    now: dt.datetime,
) -> bool:
    """Book each difference to the open month, in the recorder's lock; whether that
    reached something that is to be told (N1).

    Raises Uncountable where a sum would leave its bounds.
    """
    if not replacements:
        return False
    locked = lock_organization(organization_id)
    month = open_month(locked, now=now)
    events = UsageEvent.objects.filter(
        organization_id=organization_id,
        event_id__in=[one.known.id for one in replacements],
    )
    by_id = {event.event_id: event for event in events}
    costs = costs_today(by_id.values(), book)
    left = _left_of(by_id.values())
    payers = payers_of(list(events))
    adjustments = []
    moves: dict[int, list[WindowMove]] = defaultdict(list)
    for one in replacements:
        event = by_id[one.known.id]
        # At the same prices both: what a price changed is booked by repricing.
        nanos = max(one.cost_nanos - costs[event.pk], -left[event.pk])
        if nanos:
            if event.funding == Funding.INCLUDED:
                moves[event.membership_id] += correct_windows(
                    event, nanos, limits=one.limits, now=now
                )
            adjustments.append(
                _adjustment(
                    event,
                    nanos,
                    replacement=one,
                    payer_id=payers[event.pk],
                    locked=locked,
                    month=month,
                    now=now,
                )
            )
    if not adjustments:
        return False
    is_noticed = book_adjustments(locked, adjustments, now=now)
    return notice_windows(locked.pk, moves, now=now) or is_noticed


def _left_of(events: Collection[UsageEvent]) -> dict[int, int]:
    """What the events come to with all that was booked later: none goes below nothing."""
    booked = UsageAdjustment.objects.filter(event__in=[event.pk for event in events])
    sums = dict(
        booked.order_by().values_list("event_id").annotate(sum=Sum("amount_nanos"))
    )
    return {event.pk: event.cost_nanos + sums.get(event.pk, 0) for event in events}


def _adjustment(
    event: UsageEvent,
    nanos: int,
    *,
    replacement: Replacement,
    payer_id: int,
    locked: Organization,
    month: Month,
    now: dt.datetime,
) -> UsageAdjustment:
    return UsageAdjustment(
        organization=locked,
        membership_id=payer_id,
        event=event,
        counted=counted_of(replacement.event),
        amount_nanos=nanos,
        price_id=event.price_id,
        prepaid=event.prepaid,
        source=AdjustmentSource.REPORT,
        reason=GATEWAY_COUNTED,
        key=key_of_report(replacement.known.replaced_by, event.pk),
        created_at=now,
        month_on=month.first_on,
        day_on=month.day_of(now),
    )
