"""What new prices booked (M4) and owners have not been told of yet: it follows from the
rows, so a run that died before telling loses nothing. Read-only; amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import QuerySet

from accounts.models import AuditEntry
from billing.models import AdjustmentSource, UsageAdjustment

# The action of the entry that tells.
REPRICING = "usage.repricing"
# Older than that it is no news: earlier versions told nobody.
NEWS_FOR = dt.timedelta(days=30)


@dataclass(slots=True)
class Untold:
    """What there is to tell one organization; `through` is the last adjustment's id."""

    through: int = 0
    nanos: int = 0
    events: set[int] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    by_reason: dict[str, int] = field(default_factory=dict)

    @property
    def as_audited(self) -> dict[str, object]:
        """What the activity keeps: the amount, of which reason how much, and up to where."""
        return {
            "nanos": self.nanos,
            "by_reason": self.by_reason,
            "through": self.through,
        }

    @property
    def as_mailed(self) -> dict[str, object]:
        """What the mail says; of many models the first ten."""
        return {
            "nanos": self.nanos,
            "events": len(self.events),
            "models": sorted(self.models)[:10],
            "by_reason": self.by_reason,
        }


def organizations_untold(*, now: dt.datetime, booked_before: dt.datetime) -> list[int]:
    """Organizations (ids) for which something was booked before `booked_before` that they
    were not told of.
    """
    news = _news(now).filter(created_at__lt=booked_before)
    ids = news.order_by().values_list("organization_id", flat=True).distinct()
    return [pk for pk in ids if _untold(pk, now=now).exists()]


def untold_of(organization_id: int, *, now: dt.datetime) -> Untold:
    """All that an organization was not told of; call it under the organization's lock to
    tell each once.
    """
    untold = Untold()
    rows = _untold(organization_id, now=now).order_by("pk")
    columns = (
        "pk",
        "amount_nanos",
        "reason",
        "event_id",
        "event__model",
        "part__model",
    )
    for pk, nanos, reason, event_id, of_event, of_part in rows.values_list(*columns):
        untold.through = pk
        untold.nanos += nanos
        untold.events.add(event_id)
        untold.models.add(of_part or of_event)
        untold.by_reason[reason] = untold.by_reason.get(reason, 0) + nanos
    return untold


def _news(now: dt.datetime) -> QuerySet[UsageAdjustment]:
    return UsageAdjustment.objects.filter(
        source=AdjustmentSource.PRICE, created_at__gt=now - NEWS_FOR
    )


def _untold(organization_id: int, *, now: dt.datetime) -> QuerySet[UsageAdjustment]:
    news = _news(now).filter(organization_id=organization_id)
    told = AuditEntry.objects.filter(organization_id=organization_id, action=REPRICING)
    last = told.first()
    if last is None:
        return news
    if isinstance(last.to_value, dict):
        return news.filter(pk__gt=last.to_value["through"])
    # Earlier versions kept the amount alone, at the moment that the run booked.
    return news.filter(created_at__gt=last.at)
