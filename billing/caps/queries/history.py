"""Which caps held in a month that is over, read off the audit of their changes (C8).
Never writes; amounts are nano-USD.

Where entries of that month or of later ones may be gone, by what the settings keep,
nothing is said rather than guessed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from accounts.models import AuditEntry
from accounts.models.privacy import RetentionMark
from billing.models import CapLevel, SpendCap
from config.kit.months import Month

ORGANIZATION, SEAT_TIER, MEMBER = (f"cap.{level}" for level in CapLevel.values)
# A kind of cap with its tier or member.
Whose = tuple[str, Any]
WHOLE: Whose = (ORGANIZATION, None)


@dataclass(frozen=True, slots=True)
class CapThen:
    """A cap as a month ended; None is unlimited. `is_own` says that a member's is not
    their seat's.
    """

    amount_nanos: int | None = None
    month_only: bool = False
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class CapStep:
    """One change of the organization's cap during the month: amounts before and after,
    and who made it.
    """

    at: dt.datetime
    by: str
    from_nanos: int | None
    to_nanos: int | None


@dataclass(slots=True)
class CapsThen:
    """All caps as a month ended, by whose they are. Not `is_known` where the entries
    that would say so are gone.
    """

    is_known: bool = True
    by_whose: dict[Whose, CapThen] = field(default_factory=dict)
    steps: list[CapStep] = field(default_factory=list)

    @property
    def organization(self) -> CapThen:
        """The organization's."""
        return self.by_whose.get(WHOLE, CapThen())

    def of_seat(self, tier: str) -> CapThen:
        """A seat tier's."""
        return self.by_whose.get((SEAT_TIER, tier), CapThen())

    @property
    def own(self) -> dict[int, CapThen]:
        """Members' own, by membership."""
        return {
            whose: cap
            for (level, whose), cap in self.by_whose.items()
            if level == MEMBER and cap.is_own and cap.amount_nanos is not None
        }


def caps_then(organization_id: int, *, month: Month) -> CapsThen:
    """The caps of a month that is over, in three queries.

    The last change before its end says what held; without one, the first after it says
    from what; a cap that was never changed is as it is.
    """
    gone = RetentionMark.objects.filter(kind="audit", before_at__gt=month.start)
    if gone.exists():
        return CapsThen(is_known=False)
    then = CapsThen(by_whose=_unchanged(organization_id, month))
    before: dict[Whose, Any] = {}
    after: dict[Whose, Any] = {}
    for entry in _entries(organization_id):
        whose = _whose(entry)
        if entry.at >= month.end:
            after.setdefault(whose, entry.from_value)
            continue
        before[whose] = entry.to_value
        if whose == WHOLE and entry.at >= month.start:
            then.steps.append(_step(entry))
    for whose, value in (after | before).items():
        then.by_whose[whose] = _held(value, month)
    return then


def _entries(organization_id: int) -> list[AuditEntry]:
    entries = AuditEntry.objects.filter(
        organization_id=organization_id, action__in=(ORGANIZATION, SEAT_TIER, MEMBER)
    )
    return list(entries.select_related("actor").order_by("at", "pk"))


def _unchanged(organization_id: int, month: Month) -> dict[Whose, CapThen]:
    caps = SpendCap.objects.filter(organization_id=organization_id)
    return {
        (f"cap.{cap.level}", cap.seat_tier or cap.membership_id): CapThen(
            cap.amount_in(month.first_on), cap.is_for_month_only(month.first_on)
        )
        for cap in caps
    }


def _whose(entry: AuditEntry) -> Whose:
    if entry.action == MEMBER:
        return MEMBER, entry.membership_id
    return entry.action, entry.subject if entry.action == SEAT_TIER else None


def _held(value: dict[str, Any], month: Month) -> CapThen:
    """What an audited value says of one month: its own amount, or what came after it."""
    only = value.get("month_only")
    if only is not None and only != month.first_on.isoformat():
        return CapThen(value["then_nanos"], is_own="then_seat_tier" not in value)
    return CapThen(
        value["amount_nanos"], only is not None, is_own="seat_tier" not in value
    )


def _step(entry: AuditEntry) -> CapStep:
    by = str(entry.actor) if entry.actor else entry.actor_label
    before, after = entry.from_value or {}, entry.to_value or {}
    return CapStep(entry.at, by, before.get("amount_nanos"), after.get("amount_nanos"))
