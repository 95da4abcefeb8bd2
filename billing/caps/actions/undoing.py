"""The way back of a cap: the cap act itself, so that what was crossed and told follows it
as any change (N1).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.actions.undoing import Undoing, undoes
from accounts.models import AuditEntry
from billing.caps.actions.caps import set_cap
from billing.caps.queries.caps import CapTarget, member_target, seat_tier_target
from billing.ledger.queries import open_month


@undoes("cap.organization", "cap.seat_tier", "cap.member")
def restore_cap(undoing: Undoing) -> list[str]:
    """What held before, for this month and for what comes after it. Raises what `set_cap`
    raises.
    """
    target, before = _target(undoing), undoing.before
    month_on = open_month(undoing.organization, now=undoing.now).first_on
    months = before.get("month_only")
    later = _own(before, "then_" if months else "")
    actor, now = undoing.actor, undoing.now
    if months and dt.date.fromisoformat(months) == month_on:
        # In one act: what holds from the next month on must not hold for a moment.
        set_cap(
            target,
            amount_nanos=_own(before),
            this_month_only=True,
            later_nanos=later,
            actor=actor,
            now=now,
        )
    else:
        set_cap(target, amount_nanos=later, actor=actor, now=now)
    return []


def _own(value: dict[str, Any], prefix: str = "") -> int | None:
    """The amount of the cap's own row; what a seat lends a member is none of their own."""
    if f"{prefix}seat_tier" in value:
        return None
    name = "then_nanos" if prefix else "amount_nanos"
    amount: int | None = value[name]
    return amount


def _target(undoing: Undoing) -> CapTarget:
    entry: AuditEntry = undoing.entry
    if entry.membership is not None:
        return member_target(undoing.organization, entry.membership)
    if entry.action == "cap.seat_tier":
        return seat_tier_target(undoing.organization, entry.subject)
    return CapTarget(undoing.organization)
