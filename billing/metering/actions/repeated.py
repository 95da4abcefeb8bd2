"""A report of what was recorded before (E6, X4): the answer, and where its count holds
from now on, what is to be booked.
"""

from __future__ import annotations

from dataclasses import replace

from billing.funding.rules.standing import Standing
from billing.metering.actions.replacing import Replacement
from billing.metering.actions.results import EventResult, known_again, too_dear
from billing.metering.actions.unattributed import sent_name
from billing.metering.rules.again import Again, KnownEvent, again, digest_beside
from billing.metering.rules.events import ReportedEvent
from billing.metering.rules.pricing import charge_of_event
from billing.models.limits import MOST_AN_EVENT_NANOS
from billing.prices.rules import PriceBook


def answer_again(
    event: ReportedEvent,
    standing: Standing,
    known: KnownEvent,
    *,
    digest: str,
    book: PriceBook,
) -> tuple[EventResult, Replacement | None]:
    """What becomes of a report of a `known` event; where it is a gateway's of what
    somebody else reported, its count holds from now on (X4), and `known` keeps it.
    """
    # Also from before its member was one (X2).
    name = sent_name(event.member)
    whose = (name,) if standing.is_nobody else (standing.membership_id, name)
    what = again(
        event,
        known,
        membership_id=standing.membership_id,
        whose=whose,
        digest=digest,
    )
    if what is not Again.REPLACES:
        return known_again(event, known, what), None
    charge = charge_of_event(book, replace(event, occurred_at=known.occurred_at))
    if charge.cost_nanos > MOST_AN_EVENT_NANOS:
        return too_dear(event, charge, most_nanos=MOST_AN_EVENT_NANOS), None
    more_nanos = charge.cost_nanos - known.cost_nanos
    if not more_nanos and known.counts == event.usage.as_tuple():
        return known_again(event, known, Again.SAME), None
    known.replaced_by = digest_beside(event, known, whose=whose[0])
    known.replaced_nanos = more_nanos
    limits = {window.name: window.limit_nanos for window in standing.windows}
    replacement = Replacement(known, event, charge.cost_nanos, limits)
    return known_again(event, known, what), replacement
