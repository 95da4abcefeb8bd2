"""Two reports of one request are one (E6, X4): what a report is to one that was recorded
before. Pure; amounts are nano-USD.

Same id, or the same `request_id` within five minutes. Source, labels and time are not
content; a gateway's word holds against that of anybody else.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from billing.metering.rules.events import (
    GATEWAY,
    ReportedEvent,
    content_digest,
    earlier_digests,
)

ONE_REQUEST = dt.timedelta(minutes=5)


class Again(Enum):
    """What a report is to one recorded before."""

    SAME = auto()
    # A gateway's word where somebody else's is recorded, and the other way round.
    REPLACES = auto()
    OVERRULED = auto()
    CONFLICT = auto()


@dataclass(slots=True)
class KnownEvent:
    """What is kept of an event recorded before: its reports again are answered from it.

    `counts` are those of `Usage.as_tuple`. `replaced_by` is the content of the gateway's
    report whose count holds instead, by `replaced_nanos` more.
    """

    id: str
    request_id: str
    membership_id: int
    digest: str
    source: str
    occurred_at: dt.datetime
    labels: dict[str, str]
    counts: tuple[int, ...]
    funding: str
    cost_nanos: int
    estimated: bool
    replaced_by: str = ""
    replaced_nanos: int = 0
    # The name of somebody unknown under which it came, and to whom it was assigned (X2).
    sent_as: str = ""
    assigned_to: int | None = None

    @classmethod
    def of(
        cls,
        event: ReportedEvent,
        *,
        membership_id: int,
        digest: str,
        funding: str,
        cost_nanos: int,
        estimated: bool,
        sent_as: str = "",
    ) -> KnownEvent:
        """What is kept of an event that was recorded just now."""
        return cls(
            event.id,
            event.request_id,
            membership_id,
            digest,
            event.source,
            event.occurred_at,
            event.labels,
            event.usage.as_tuple(),
            funding,
            cost_nanos,
            estimated,
            sent_as=sent_as,
        )

    @property
    def current_nanos(self) -> int:
        """What it costs with the gateway's count."""
        return self.cost_nanos + self.replaced_nanos

    def is_of(self, membership_id: int, name: str) -> bool:
        """Whether it is that member's: of somebody unknown, by the name that was sent or
        by whom it was assigned to.
        """
        if self.sent_as:
            return self.sent_as == name or self.assigned_to == membership_id
        return self.membership_id == membership_id

    def is_near(self, occurred_at: dt.datetime) -> bool:
        """Whether a request of that moment can be this one."""
        return abs(occurred_at - self.occurred_at) <= ONE_REQUEST


@dataclass(slots=True)
class KnownEvents:
    """Events recorded before, by their ids and by what the provider calls the request."""

    by_id: dict[str, KnownEvent] = field(default_factory=dict)
    # With the five minutes it falls into: there is no second one in those.
    by_request: dict[tuple[str, int], KnownEvent] = field(default_factory=dict)

    def add(self, known: KnownEvent) -> None:
        """Know one more."""
        self.by_id[known.id] = known
        if known.request_id:
            self.by_request[known.request_id, _slot(known.occurred_at)] = known

    def find(self, event: ReportedEvent) -> KnownEvent | None:
        """The one of the same id, else the nearest of the same request within five
        minutes; some name an event by the provider's name alone.
        """
        known = self.by_id.get(event.id)
        if known is not None or not event.request_id:
            return known
        at, slot = event.occurred_at, _slot(event.occurred_at)
        same = [self.by_id.get(event.request_id)]
        same += [
            self.by_request.get((event.request_id, one))
            for one in (slot - 1, slot, slot + 1)
        ]
        near = [one for one in same if one is not None and one.is_near(at)]
        return min(near, key=lambda one: abs(at - one.occurred_at), default=None)


def _slot(moment: dt.datetime) -> int:
    return int(moment.timestamp() // ONE_REQUEST.total_seconds())


def again(
    event: ReportedEvent,
    known: KnownEvent,
    *,
    membership_id: int,
    whose: tuple[int | str, ...],
    digest: str,
) -> Again:
    """What a report with the content `digest` is to `known`. `whose` is the membership
    that stands in its content or the name of somebody unknown (X2), and what else may
    stand there in what was recorded before: the name as it was sent, last.
    """
    if known.digest == digest or _is_same(
        event, known, membership_id=membership_id, whose=whose
    ):
        return Again.SAME
    is_theirs = known.is_of(membership_id, str(whose[-1]))
    is_one_request = is_theirs and known.is_near(event.occurred_at)
    if not is_one_request:
        return Again.CONFLICT
    if event.source == known.source:
        # Under another id others may name the model otherwise.
        is_alike = event.id != known.id and known.counts == event.usage.as_tuple()
        return Again.SAME if is_alike else Again.CONFLICT
    if event.source != GATEWAY:
        return Again.OVERRULED
    if not known.replaced_by:
        return Again.REPLACES
    content = digest_beside(event, known, whose=whose[0])
    return Again.SAME if known.replaced_by == content else Again.CONFLICT


def digest_beside(event: ReportedEvent, known: KnownEvent, *, whose: int | str) -> str:
    """The content of a report alone: with neither labels nor a time of its own."""
    beside = replace(event, occurred_at=known.occurred_at, labels={})
    return content_digest(beside, membership_id=whose)


def _is_same(
    event: ReportedEvent,
    known: KnownEvent,
    *,
    membership_id: int,
    whose: tuple[int | str, ...],
) -> bool:
    """Whether the content is that of the known event, whatever version recorded it.

    What is kept of the content has time and labels in it, by which the previous release
    knows its own reports again; so here they are taken from the known event.
    """
    reports = [event]
    if known.is_near(event.occurred_at):
        labels = known.labels
        sent = {**event.sent, "labels": labels} if event.sent else None
        alike = replace(event, occurred_at=known.occurred_at, labels=labels, sent=sent)
        reports.append(alike)
    return any(
        known.digest == content_digest(report, membership_id=one)
        for report in reports
        for one in whose
    ) or any(
        known.digest in earlier_digests(report, membership_id=membership_id)
        for report in reports
    )
