"""Reading what is unattributed (X2): the names with open usage, whom one may be, and who
pays for an event since it was assigned. Read-only; amounts are nano-USD.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum

from accounts.models import Membership, Organization
from billing.models import (
    AdjustmentSource,
    AssigningReason,
    UnattributedName,
    UsageAdjustment,
    UsageEvent,
    UsagePart,
)

# An event, and the part of it that is meant, if any.
Piece = tuple[int, int | None]


def open_names(organization_id: int) -> QuerySet[UnattributedName]:
    """The names with usage that is assigned to nobody, oldest first."""
    names = UnattributedName.objects.filter(organization_id=organization_id)
    return names.filter(events__gt=0).order_by("pk")


@dataclass(frozen=True, slots=True)
class OpenUsage:
    """All that is open in an organization: under how many names, and by who pays."""

    names: int
    extra_nanos: int
    unbilled_nanos: int


def open_usage(organization_id: int) -> OpenUsage:
    """Summed over the names."""
    sums = open_names(organization_id).aggregate(
        names=Count("pk"), extra=Sum("extra_nanos"), unbilled=Sum("unbilled_nanos")
    )
    return OpenUsage(sums["names"], int(sums["extra"] or 0), int(sums["unbilled"] or 0))


def open_events(name: UnattributedName) -> QuerySet[UsageEvent]:
    """Its events that are assigned to nobody, in the order in which they are assigned."""
    events = UsageEvent.objects.filter(unattributed=name, pk__gt=name.assigned_through)
    return events.order_by("pk")


@dataclass(frozen=True, slots=True)
class Move:
    """What of an event, or of one part of it, moves with an assignment: what it costs
    with all that was booked later.
    """

    event: UsageEvent
    part: UsagePart | None
    nanos: int

    @property
    def price_id(self) -> int:
        """The price it was charged at."""
        return (self.part or self.event).price_id


def moves_of(events: Sequence[UsageEvent]) -> list[Move]:
    """What moves with each of these events, in their order."""
    ids = [event.pk for event in events]
    booked: dict[Piece, int] = defaultdict(int)
    rows = UsageAdjustment.objects.filter(event__in=ids)
    for event_id, part_id, nanos in rows.values_list(
        "event_id", "part_id", "amount_nanos"
    ):
        booked[event_id, part_id] += nanos
    parts: dict[int, list[UsagePart]] = defaultdict(list)
    split = [event.pk for event in events if event.is_split]
    if split:
        of_split = UsagePart.objects.filter(event__in=split).order_by("position")
        for part in of_split:
            parts[part.event_id].append(part)
    moves = []
    for event in events:
        moves += [
            Move(event, part, part.cost_nanos + booked[event.pk, part.pk])
            for part in parts[event.pk]
        ]
        whole = booked[event.pk, None]
        if not event.is_split:
            moves.append(Move(event, None, event.cost_nanos + whole))
        elif whole:
            moves.append(Move(event, None, whole))
    return moves


def payers_of(events: Collection[UsageEvent]) -> dict[int, int]:
    """The membership to which what is booked for each event counts: its own, or that to
    which it was assigned.
    """
    payers = {event.pk: event.membership_id for event in events}
    came_unnamed = [event.pk for event in events if event.unattributed_id]
    if came_unnamed:
        assigned = UsageAdjustment.objects.filter(
            event__in=came_unnamed,
            source=AdjustmentSource.ASSIGNED,
            reason=AssigningReason.GIVEN,
        )
        payers.update(assigned.values_list("event_id", "membership_id"))
    return payers


def last_assigned_to(name: UnattributedName) -> Membership | None:
    """To whom the last events of a name were assigned; None where none were."""
    given = UsageAdjustment.objects.filter(
        event_id=name.assigned_through,
        source=AdjustmentSource.ASSIGNED,
        reason=AssigningReason.GIVEN,
    )
    last = given.select_related("membership__user").first()
    return last.membership if last else None


def proposals(
    organization: Organization, names: Collection[UnattributedName]
) -> dict[int, Membership]:
    """Who each of some names probably is, by its id: a member whose address begins
    alike, or who is called so. Only where there is exactly one.
    """
    locals_of = {name.pk: _local(name.sent_as) for name in names}
    wanted = Q()
    for local in set(locals_of.values()) - {""}:
        wanted |= Q(user__email__startswith=f"{local}@")
        wanted |= Q(user__name__iexact=_called(local))
    if not wanted:
        return {}
    members = organization.memberships.active().filter(wanted).select_related("user")
    found: dict[str, list[Membership]] = defaultdict(list)
    for member in members[:500]:
        keys = {_local(member.user.email), member.user.name.lower()}
        for key in keys:
            found[key].append(member)
    proposed = {}
    for pk, local in locals_of.items():
        alike = {one.pk: one for one in found[local] + found[_called(local).lower()]}
        if local and len(alike) == 1:
            proposed[pk] = next(iter(alike.values()))
    return proposed


def _local(sent_as: str) -> str:
    """What stands before the @ of an address; of an external id what follows its issuer."""
    return sent_as.rpartition("@")[0].rpartition(":")[2] or (
        sent_as.rpartition(":")[2] if "@" not in sent_as else ""
    )


def _called(local: str) -> str:
    """`emil.janssen` as a name."""
    return local.replace(".", " ").replace("_", " ")
