"""Booking differences of events later: visible rows that count to the open month, never
an edit (M4).

Amounts are nano-USD; the side that paid the event pays its difference.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization, User
from billing.ledger.actions import account_of, add_pending
from billing.ledger.queries import open_month
from billing.metering.actions.rows import NameCount, add_counts, add_to_names
from billing.metering.queries.unattributed import payers_of
from billing.metering.rules.tally import DayKey, Spend, Tally
from billing.models import (
    AdjustmentSource,
    EntryKind,
    Funding,
    UsageAdjustment,
    UsageEvent,
)
from billing.models.limits import MOST_AN_EVENT_NANOS
from billing.notices.actions.noticing import notice_booked
from billing.notices.actions.writing import overtake_balance
from config.kit.errors import BusinessError
from config.kit.money import format_usd

MAX_REASON = 200


def book_adjustments(
    locked: Organization, adjustments: Sequence[UsageAdjustment], *, now: dt.datetime
) -> bool:
    """Write adjustments with their counters and, for prepaid events, let them move the
    balance; in the caller's lock. Whether they reached something that is to be told (N1).
    """
    UsageAdjustment.objects.bulk_create(adjustments)
    tally = Tally()
    for adjustment in adjustments:
        event = adjustment.event
        priced = adjustment.part or event
        tally.correct(
            DayKey(
                adjustment.membership_id,
                adjustment.day_on,
                event.surface,
                priced.model,
                event.seat_tier,
            ),
            month_on=adjustment.month_on,
            spend=Spend.of(event.funding, adjustment.amount_nanos),
        )
    add_counts(tally, organization_id=locked.pk)
    _add_to_names(adjustments)
    owed: dict[tuple[int, dt.date], int] = defaultdict(int)
    for adjustment in adjustments:
        if adjustment.prepaid:
            key = adjustment.membership_id, adjustment.day_on
            owed[key] += adjustment.amount_nanos
    for (membership_id, day_on), amount_nanos in owed.items():
        add_pending(
            locked,
            membership_id=membership_id,
            day_on=day_on,
            kind=EntryKind.ADJUSTMENT,
            amount_nanos=amount_nanos,
        )
    return notice_booked(
        locked.pk, _extra_by_member(adjustments), owed_nanos=sum(owed.values()), now=now
    )


def _extra_by_member(adjustments: Sequence[UsageAdjustment]) -> dict[int, int]:
    """What they change of each one's extra usage of the open month, to which they count."""
    extra: dict[int, int] = defaultdict(int)
    for adjustment in adjustments:
        spend = Spend.of(adjustment.event.funding, adjustment.amount_nanos)
        extra[adjustment.membership_id] += spend.extra
    return extra


def _add_to_names(adjustments: Sequence[UsageAdjustment]) -> None:
    """What is booked on an unattributed line is open under the name of its event (X2)."""
    counts: dict[int, NameCount] = defaultdict(NameCount)
    for adjustment in adjustments:
        event = adjustment.event
        if event.unattributed_id and adjustment.membership_id == event.membership_id:
            spend = Spend.of(event.funding, adjustment.amount_nanos)
            counts[event.unattributed_id].add(spend)
    add_to_names(counts)


@transaction.atomic
def adjust_event(
    event: UsageEvent,
    *,
    amount_nanos: int,
    reason: str,
    operator: User,
    key: str = "",
    now: dt.datetime,
) -> UsageAdjustment:
    """An operator's decision to charge an event more, or (negative) less; a line of the
    open month's bill.

    `key` names the press of the button: the same again answers the first adjustment.

    Raises BusinessError `not_extra_usage` for an event nobody pays, `adjustment_amount`
    for zero or for more than the event cost, `reason_missing`.
    """
    locked = lock_organization(event.organization_id)
    booked_before = _booked_by(key, event)
    if booked_before is not None:
        return booked_before
    cost_nanos = cost_with_adjustments(event)
    _refuse_nonsense(event, amount_nanos=amount_nanos, cost_nanos=cost_nanos)
    month = open_month(locked, now=now)
    adjustment = UsageAdjustment(
        organization=locked,
        membership_id=payers_of([event])[event.pk],
        event=event,
        amount_nanos=amount_nanos,
        price_id=event.price_id,
        prepaid=event.prepaid,
        source=AdjustmentSource.OPERATOR,
        reason=check_reason(reason, most=MAX_REASON),
        key=key or None,
        actor=operator,
        created_at=now,
        month_on=month.first_on,
        day_on=month.day_of(now),
    )
    book_adjustments(locked, [adjustment], now=now)
    if adjustment.prepaid and amount_nanos < 0:
        # Given back like a credit: what the balance is lifted above is armed again.
        overtake_balance(
            organization_id=locked.pk,
            balance_nanos=account_of(locked).balance_nanos,
            now=now,
        )
    _audit(adjustment, cost_nanos=cost_nanos, operator=operator)
    return adjustment


def check_adjustment(event: UsageEvent, *, amount_nanos: int) -> int:
    """Raise what `adjust_event` would raise for this amount, and write nothing; what the
    event costs before it, in nano-USD.

    No lock is held: another operator's adjustment may come between, so the act asks
    again under its own.
    """
    cost_nanos = cost_with_adjustments(event)
    _refuse_nonsense(event, amount_nanos=amount_nanos, cost_nanos=cost_nanos)
    return cost_nanos


def booked_by_form(
    event: UsageEvent, *, key: str, amount_nanos: int | None
) -> UsageAdjustment | None:
    """The adjustment that a showing of the form booked; None where it booked none.
    Raises BusinessError `already_adjusted` where that was another amount; no amount:
    whatever it was.
    """
    earlier = _booked_by(key, event)
    if earlier is None or amount_nanos in (None, earlier.amount_nanos):
        return earlier
    raise BusinessError(
        _(
            "This form was already used to book %(amount)s, so nothing was booked "
            "this time. Open it again to book another amount."
        )
        % {"amount": format_usd(earlier.amount_nanos)},
        code="already_adjusted",
    )


def _booked_by(key: str, event: UsageEvent) -> UsageAdjustment | None:
    """The adjustment that this press of the button booked before."""
    if not key:
        return None
    return UsageAdjustment.objects.filter(event=event, key=key).first()


def cost_with_adjustments(event: UsageEvent) -> int:
    """What an event comes to with all that was booked later, in nano-USD."""
    adjusted = event.adjustments.aggregate(sum=Sum("amount_nanos"))["sum"]
    return event.cost_nanos + (adjusted or 0)


def _refuse_nonsense(event: UsageEvent, *, amount_nanos: int, cost_nanos: int) -> None:
    """An event costs somebody something, and never less than nothing."""
    if event.funding != Funding.EXTRA_USAGE:
        raise BusinessError(
            _(
                "%(event)s wasn't extra usage, so no one pays for it and there is "
                "nothing to adjust."
            )
            % {"event": event.event_id},
            code="not_extra_usage",
            status=422,
            field="event",
        )
    if amount_nanos == 0 or cost_nanos + amount_nanos < 0:
        raise BusinessError(
            _(
                "%(event)s currently costs %(cost)s. Enter an amount other than zero "
                "that deducts no more than that."
            )
            % {"event": event.event_id, "cost": format_usd(cost_nanos)},
            code="adjustment_amount",
            status=422,
            field="amount",
        )
    _refuse_more_than_an_event(event, amount_nanos, cost_nanos=cost_nanos)


def _refuse_more_than_an_event(
    event: UsageEvent, amount_nanos: int, *, cost_nanos: int
) -> None:
    """What no request could cost is a slip of some zeros (E5a)."""
    if cost_nanos + amount_nanos > max(MOST_AN_EVENT_NANOS, event.cost_nanos):
        raise BusinessError(
            _(
                "%(event)s currently costs %(cost)s, and no event costs more than "
                "%(most)s. Enter a smaller amount."
            )
            % {
                "event": event.event_id,
                "cost": format_usd(cost_nanos),
                "most": format_usd(MOST_AN_EVENT_NANOS),
            },
            code="adjustment_amount",
            status=422,
            field="amount",
        )


def _audit(adjustment: UsageAdjustment, *, cost_nanos: int, operator: User) -> None:
    record_change(
        adjustment.organization,
        actor=Actor.person(operator, reason=adjustment.reason),
        action="usage.adjustment",
        subject=f"{adjustment.membership.user}: {adjustment.event.event_id}",
        now=adjustment.created_at,
        membership=adjustment.membership,
        from_value=cost_nanos,
        to_value=cost_nanos + adjustment.amount_nanos,
    )
