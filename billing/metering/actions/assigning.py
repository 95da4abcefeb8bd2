"""Assigning unattributed usage to a member (X2): for each event two adjustments, of which
one takes off the unattributed line what the other gives to the member.

They count to the open month, like every adjustment; the organization's sums stay the same.
Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization
from billing.ledger.queries import open_month
from billing.metering.actions.adjustments import book_adjustments
from billing.metering.actions.rows import NameCount, add_to_names
from billing.metering.queries.unattributed import (
    Move,
    last_assigned_to,
    moves_of,
    open_events,
)
from billing.metering.rules.tally import Spend
from billing.models import (
    AdjustmentSource,
    AssigningReason,
    UnattributedName,
    UsageAdjustment,
    UsageEvent,
)
from config.kit.errors import BusinessError
from config.kit.months import Month

# Events moved in one transaction: recording waits for the lock no longer than that.
BATCH = 500
# Events moved by one call; what is left is told, and the next call goes on.
MOST_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Assigned:
    """What was (or would be) assigned, by who pays, and how many events are left."""

    events: int = 0
    extra_nanos: int = 0
    unbilled_nanos: int = 0
    left: int = 0

    @property
    def cost_nanos(self) -> int:
        """All that moves."""
        return self.extra_nanos + self.unbilled_nanos

    def plus(self, moves: Sequence[Move], *, events: int) -> Assigned:
        """With further events."""
        spends = [Spend.of(move.event.funding, move.nanos) for move in moves]
        return replace(
            self,
            events=self.events + events,
            extra_nanos=self.extra_nanos + sum(spend.extra for spend in spends),
            unbilled_nanos=self.unbilled_nanos
            + sum(spend.unbilled for spend in spends),
        )


def preview_assignment(name: UnattributedName, member: Membership) -> Assigned:
    """What `assign_usage` would do now, and nothing done. Raises what it raises."""
    _refuse(name, member)
    would = Assigned()
    for events in _batches(name):
        would = would.plus(moves_of(events), events=len(events))
    return replace(would, left=name.events - would.events)


def _batches(name: UnattributedName) -> Iterator[list[UsageEvent]]:
    last = name.assigned_through
    for _number in range(MOST_AT_ONCE // BATCH):
        events = list(open_events(name).filter(pk__gt=last)[:BATCH])
        if not events:
            return
        last = events[-1].pk
        yield events


def assign_usage(
    name: UnattributedName, member: Membership, *, actor: Actor, now: dt.datetime
) -> Assigned:
    """Make what is open under a name a member's, each event once: doing it again, or at
    once with others, moves nothing twice.

    Raises BusinessError `already_assigned` where nothing is open and somebody else got
    it, `not_a_person` for whom nothing can be assigned to.
    """
    done = Assigned()
    for _number in range(MOST_AT_ONCE // BATCH):
        moved = _assign_batch(
            name.organization_id,
            name.pk,
            member,
            actor=actor,
            now=now,
            goes_on=bool(done.events),
        )
        done = replace(
            moved,
            events=done.events + moved.events,
            extra_nanos=done.extra_nanos + moved.extra_nanos,
            unbilled_nanos=done.unbilled_nanos + moved.unbilled_nanos,
        )
        if not done.left:
            break
    return done


@transaction.atomic
def _assign_batch(
    organization_id: int,
    name_id: int,
    member: Membership,
    *,
    actor: Actor,
    now: dt.datetime,
    goes_on: bool,
) -> Assigned:
    """`goes_on` after a batch before it: somebody else may have taken what was left."""
    locked = lock_organization(organization_id)
    # Read under the lock: somebody else may have assigned, or recorded, meanwhile.
    name = UnattributedName.objects.get(pk=name_id, organization=locked)
    events = list(open_events(name)[:BATCH])
    if not events and goes_on:
        return Assigned()
    _refuse(name, member)
    if not events:
        return Assigned()
    moves = moves_of(events)
    month = open_month(locked, now=now)
    pairs = [
        _adjustment(locked, month, move, actor=actor, now=now, to=to)
        for move in moves
        for to in (None, member)
    ]
    book_adjustments(locked, pairs, now=now)
    add_to_names({name.pk: NameCount(events=-len(events))})
    UnattributedName.objects.filter(pk=name.pk).update(assigned_through=events[-1].pk)
    moved = Assigned(left=name.events - len(events)).plus(moves, events=len(events))
    _audit(locked, name, member, moved, actor=actor, now=now)
    return moved


def _adjustment(
    organization: Organization,
    month: Month,
    move: Move,
    *,
    actor: Actor,
    now: dt.datetime,
    to: Membership | None,
) -> UsageAdjustment:
    """What the unattributed line loses, or (`to`) a member gets."""
    event = move.event
    return UsageAdjustment(
        organization=organization,
        membership_id=to.pk if to else event.membership_id,
        event=event,
        part=move.part,
        amount_nanos=move.nanos if to else -move.nanos,
        price_id=move.price_id,
        prepaid=event.prepaid,
        source=AdjustmentSource.ASSIGNED,
        reason=AssigningReason.GIVEN if to else AssigningReason.TAKEN,
        actor=actor.user,
        created_at=now,
        month_on=month.first_on,
        day_on=month.day_of(now),
    )


def _refuse(name: UnattributedName, member: Membership) -> None:
    if member.organization_id != name.organization_id or member.is_nobody:
        raise BusinessError(
            _("Usage can be assigned to members of the organization alone."),
            code="not_a_person",
            status=422,
            field="member",
        )
    if name.events:
        return
    before = last_assigned_to(name)
    if before is not None and before.pk != member.pk:
        raise BusinessError(
            _("All usage under “%(name)s” was assigned to %(member)s already.")
            % {"name": name.sent_as, "member": before.user},
            code="already_assigned",
            status=409,
        )


def _audit(
    organization: Organization,
    name: UnattributedName,
    member: Membership,
    moved: Assigned,
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    record_change(
        organization,
        actor=actor,
        action="usage.assign",
        subject=f"{name.sent_as[:80]}: {member.user}",
        now=now,
        membership=member,
        to_value={"events": moved.events, "nanos": moved.cost_nanos},
    )
