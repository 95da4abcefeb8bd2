"""Requests that have ended, for reviewers and for who asked (R9). Read-only.

Amounts are nano-USD, times UTC instants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Count, F, Q, QuerySet, Sum

from accounts.models import User
from requests_inbox.models import UsageRequest

STATUS = UsageRequest.Status
WITH_PEOPLE = ("membership__user", "membership__organization", "decided_by")


class Outcome(StrEnum):
    """What became of a request, as the page tells them apart."""

    INCREASED = "increased"
    PREMIUM = "premium"
    DISMISSED = "dismissed"
    BY_ITSELF = "itself"


OF_OUTCOME = {
    Outcome.INCREASED: Q(status=STATUS.APPROVED, granted_tier=""),
    Outcome.PREMIUM: Q(status=STATUS.APPROVED) & ~Q(granted_tier=""),
    Outcome.DISMISSED: Q(status=STATUS.DISMISSED),
    Outcome.BY_ITSELF: Q(status__in=[STATUS.RESOLVED, STATUS.WITHDRAWN]),
}


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which ended requests are looked for: words, an outcome, who decided (a user's id),
    asked at or after a moment.
    """

    search: str = ""
    outcome: Outcome | None = None
    decided_by: int | None = None
    since: dt.datetime | None = None

    def found(self, requests: QuerySet[UsageRequest]) -> QuerySet[UsageRequest]:
        """Those of the requests that it finds, whatever their outcome."""
        if self.since is not None:
            requests = requests.filter(created_at__gte=self.since)
        if self.decided_by is not None:
            requests = requests.filter(decided_by=self.decided_by)
        for word in self.search.split():
            requests = requests.filter(
                Q(membership__user__name__icontains=word)
                | Q(membership__user__email__icontains=word)
                | Q(note__icontains=word)
                | Q(answer_note__icontains=word)
            )
        return requests

    def of_outcome(self, requests: QuerySet[UsageRequest]) -> QuerySet[UsageRequest]:
        """Those with the outcome that is looked for."""
        return requests.filter(OF_OUTCOME[self.outcome]) if self.outcome else requests


def ended_requests(organization_id: int) -> QuerySet[UsageRequest]:
    """All of an organization's requests that have ended, the last asked first."""
    return (
        UsageRequest.objects.filter(organization_id=organization_id)
        .exclude(status=STATUS.PENDING)
        .select_related(*WITH_PEOPLE)
        .order_by("-created_at", "-pk")
    )


def own_ended_requests(membership_id: int) -> QuerySet[UsageRequest]:
    """A member's own requests that have ended, the last asked first."""
    return (
        UsageRequest.objects.filter(membership_id=membership_id)
        .exclude(status=STATUS.PENDING)
        .select_related(*WITH_PEOPLE)
        .order_by("-created_at", "-pk")
    )


def outcome_counts(requests: QuerySet[UsageRequest]) -> dict[Outcome, int]:
    """How many ended how; one query."""
    counts = {str(outcome): Count("pk", filter=q) for outcome, q in OF_OUTCOME.items()}
    counted = requests.order_by().aggregate(**counts)
    return {outcome: counted[str(outcome)] for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class Pace:
    """How long people waited for a decision (half of them no longer than `median`), and
    by how much caps were raised.
    """

    median: dt.timedelta
    slowest: dt.timedelta
    raised_nanos: int


def pace_of(requests: QuerySet[UsageRequest]) -> Pace | None:
    """Of those that somebody decided; None where nobody did."""
    decided = requests.filter(status__in=[STATUS.APPROVED, STATUS.DISMISSED])
    times = decided.order_by().values_list("created_at", "ended_at")
    waits = [ended - asked for asked, ended in times if ended is not None]
    if not waits:
        return None
    raised = decided.filter(granted_nanos__isnull=False, cap_before_nanos__isnull=False)
    total = raised.order_by().aggregate(
        nanos=Sum(F("granted_nanos") - F("cap_before_nanos"), default=0)
    )
    waits.sort()
    return Pace(waits[(len(waits) - 1) // 2], waits[-1], total["nanos"])


def deciders(requests: QuerySet[UsageRequest]) -> Iterable[User]:
    """The people who decided any of them, by name."""
    ids = requests.order_by().values("decided_by")
    return User.objects.filter(pk__in=ids).order_by("name", "email")
