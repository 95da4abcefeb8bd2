"""Which caps held in a month that is over, read off the audit of their changes (C8).
Never writes; amounts are nano-USD.

Where entries of that month or of later ones may be gone, by what the settings keep,
nothing is said rather than guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

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
    """The caps of a month that is over, in three queries."""
    if _is_forgotten(month):
        return CapsThen(is_known=False)
    return _folded(_entries(organization_id), _caps(organization_id), month=month)


def own_caps_by_month(
    membership_id: int, *, organization_id: int, months: Iterable[Month]
) -> dict[dt.date, CapsThen]:
    """What held for one member as each of several months ended: their own cap and those
    of the seat tiers; three queries whatever months there are.
    """
    theirs = Q(membership_id=membership_id) | Q(action=SEAT_TIER)
    entries = list(_changes(organization_id).filter(theirs))
    caps = list(
        SpendCap.objects.filter(
            Q(membership_id=membership_id) | Q(level=CapLevel.SEAT_TIER),
            organization_id=organization_id,
        )
    )
    before_at = _forgotten_before()
    return {
        month.first_on: CapsThen(is_known=False)
        if before_at is not None and before_at > month.start
        else _folded(entries, caps, month=month)
        for month in months
    }


def _is_forgotten(month: Month) -> bool:
    """Whether entries of the month, or of later ones, may be gone."""
    before_at = _forgotten_before()
    return before_at is not None and before_at > month.start


def _forgotten_before() -> dt.datetime | None:
    marks = RetentionMark.objects.filter(kind="audit")
    return marks.values_list("before_at", flat=True).first()


def _folded(
    entries: Iterable[AuditEntry], caps: Iterable[SpendCap], *, month: Month
) -> CapsThen:
    """The last change before the month's end says what held; without one, the first after
    it says from what; a cap that was never changed is as it is.
    """
    then = CapsThen(by_whose=_unchanged(caps, month))
    before: dict[Whose, Any] = {}
    after: dict[Whose, Any] = {}
    for entry in entries:
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
    return list(_changes(organization_id).select_related("actor"))


def _changes(organization_id: int) -> QuerySet[AuditEntry]:
    entries = AuditEntry.objects.filter(
        organization_id=organization_id, action__in=(ORGANIZATION, SEAT_TIER, MEMBER)
    )
    return entries.order_by("at", "pk")


def _caps(organization_id: int) -> list[SpendCap]:
    return list(SpendCap.objects.filter(organization_id=organization_id))


def _unchanged(caps: Iterable[SpendCap], month: Month) -> dict[Whose, CapThen]:
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
