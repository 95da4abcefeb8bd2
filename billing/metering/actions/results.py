"""What becomes of a reported event, as it is answered: its status, and where it is
invalid or was funded otherwise than promised, why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing.metering.rules.again import Again, KnownEvent
from billing.metering.rules.events import GATEWAY, ReportedEvent
from billing.metering.rules.funded import Presented
from billing.metering.rules.pricing import EventCharge
from config.kit.money import format_usd

# Where in the event, and what is wrong there.
Errors = tuple[tuple[tuple[str | int, ...], str], ...]


@dataclass(slots=True, frozen=True)
class EventResult:
    """What became of one event: `recorded`, `duplicate`, `conflict` or `invalid` (then
    `errors` say at which field, and why).
    """

    id: str | None
    status: str
    funding: str | None = None
    cost_nanos: int | None = None
    estimated: bool = False
    errors: Errors = ()
    notes: tuple[str, ...] = ()


def used_notes(presented: Presented) -> list[str]:
    """That an authorization had been used, and by which event (E4)."""
    if presented.used_by is None:
        return []
    return [
        f"The authorization has paid for the event “{presented.used_by}” already; this"
        " one was funded by a check. Ask for an authorization before each request."
    ]


def somebody_elses(event: ReportedEvent) -> EventResult:
    """Its id, or its request, is another member's: a personal token reads no more (X3)."""
    return EventResult(event.id, "conflict")


def known_again(event: ReportedEvent, known: KnownEvent, what: Again) -> EventResult:
    """Another report of an event that was recorded before: nothing is recorded of it."""
    status = "conflict" if what is Again.CONFLICT else "duplicate"
    return EventResult(
        event.id,
        status,
        known.funding,
        known.current_nanos,
        known.estimated,
        notes=tuple(_again_notes(event, known, what)),
    )


def _again_notes(event: ReportedEvent, known: KnownEvent, what: Again) -> Iterator[str]:
    """Under which id it is recorded, and whose count holds where two differ."""
    if known.id != event.id:
        yield f"This request is recorded as the event “{known.id}”."
    if what is Again.REPLACES:
        yield (
            f"It was recorded by what {known.source} counted; the gateway's count holds,"
            " and the difference is booked as an adjustment."
        )
    elif what is Again.OVERRULED and known.counts != event.usage.as_tuple():
        is_gateways = known.source == GATEWAY or known.replaced_by
        whose = "the gateway's" if is_gateways else f"that of {known.source}"
        yield f"It was reported with other counts; {whose} holds."


def unattributed_notes(sent_as: str) -> list[str]:
    """That nobody has the name it came under (X2)."""
    if not sent_as:
        return []
    return [
        f"Nobody here is “{sent_as}”: recorded as unattributed usage, which an owner can"
        " assign to a member."
    ]


def no_member(event: ReportedEvent) -> EventResult:
    """It names nobody, and came with no personal token."""
    return _invalid(event, "member", "Field required")


def not_its_own(event: ReportedEvent, *, email: str) -> EventResult:
    """Sent with a personal token, whose owner has this address, for somebody else (X3)."""
    message = _(
        "This personal token is of %(email)s and reports nobody else's usage. Leave"
        " “member” out, or use a key of the organization."
    )
    return _invalid(event, "member", message % {"email": email})


def too_far_ahead(event: ReportedEvent, *, now: dt.datetime) -> EventResult:
    """It says it ran in the future; `now` is an aware UTC instant."""
    message = _(
        "%(moment)s is more than 5 minutes ahead of the server's %(now)s."
        " Check the gateway's clock."
    ) % {"moment": event.occurred_at.isoformat(), "now": now.isoformat()}
    return _invalid(event, "occurred_at", message)


def too_dear(
    event: ReportedEvent, charge: EventCharge, *, most_nanos: int
) -> EventResult:
    """It would cost more than one request can (E5a)."""
    message = _(
        "This usage would cost %(cost)s; one request can cost %(most)s at most. Check"
        " the counts."
    ) % {
        "cost": format_usd(charge.cost_nanos),
        "most": format_usd(most_nanos),
    }
    return _invalid(event, "usage", message)


def _invalid(event: ReportedEvent, field: str, message: str) -> EventResult:
    return EventResult(event.id, "invalid", errors=(((field,), message),))
