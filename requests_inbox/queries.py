"""Reading requests: who waits now (by the standing of each, not by what a job wrote
down), and who may decide.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import Membership, Organization, Role
from billing.funding.queries import standings_for
from billing.funding.rules.decision import extra_usage_refusal
from billing.funding.rules.standing import Reason, Standing
from requests_inbox.models import UsageRequest
from requests_inbox.rules import Asked, ending_of

PEOPLE = ("membership__user", "membership__organization", "decided_by")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that still waits, with the present standing of who asked."""

    request: UsageRequest
    standing: Standing

    @property
    def reason(self) -> Reason:
        """What blocks the member now, whatever is left of the included usage."""
        if self.standing.seat_tier is None:
            return Reason.SEAT_UNASSIGNED
        return extra_usage_refusal(self.standing) or Reason(self.request.reason)


@dataclass(frozen=True, slots=True)
class Pending:
    """The stored pending requests of an organization, told apart by R5."""

    waiting: list[Waiting]
    ended: dict[int, str]


def pending_of(organization_id: int, *, now: dt.datetime) -> Pending:
    """Which requests wait at `now`, oldest first, and which have ended by themselves.

    Two queries, one when there is none.
    """
    stored = list(
        UsageRequest.objects.pending()
        .filter(organization_id=organization_id)
        .select_related(*PEOPLE)
        .order_by("created_at", "pk")
    )
    if not stored:
        return Pending([], {})
    standings = standings_for(
        organization_id, [one.membership_id for one in stored], now=now
    )
    waiting, ended = [], {}
    for one in stored:
        standing = standings[one.membership_id]
        ending = ending_of(asked_of(one), standing)
        if ending is None:
            waiting.append(Waiting(one, standing))
        else:
            ended[one.pk] = ending
    return Pending(waiting, ended)


def asked_of(request: UsageRequest) -> Asked:
    """What the rules look at."""
    return Asked(request.seat_tier, request.reason, request.month_on)


def latest_request(
    membership_id: int, *, standing: Standing
) -> tuple[UsageRequest | None, str]:
    """A member's latest request and its status at the moment of `standing`; no request,
    no status.
    """
    latest = (
        UsageRequest.objects.filter(membership_id=membership_id)
        .select_related(*PEOPLE)
        .first()
    )
    if latest is None:
        return None, ""
    status = latest.status
    if status == UsageRequest.Status.PENDING:
        status = ending_of(asked_of(latest), standing) or status
    return latest, status


def reviewers(organization: Organization) -> QuerySet[Membership]:
    """Active admins and owners, owners last (R3)."""
    return (
        Membership.objects.active()
        .filter(organization=organization, base_role__in=[Role.ADMIN, Role.OWNER])
        .select_related("user", "organization")
        .order_by("base_role", "pk")
    )


def deciders_for(
    request_membership_id: int, *, organization: Organization
) -> list[Membership]:
    """Who may decide a request: nobody their own, unless they are the only one who may (R3)."""
    found = list(reviewers(organization))
    others = [one for one in found if one.pk != request_membership_id]
    return others or found


def may_decide(reviewer: Membership, *, request_membership_id: int) -> bool:
    """Whether this reviewer may decide this request (R3)."""
    if reviewer.pk != request_membership_id:
        return True
    return not reviewers(reviewer.organization).exclude(pk=reviewer.pk).exists()


def request_list(
    organization: Organization,
    *,
    status: str | None,
    before: int | None,
    now: dt.datetime,
    limit: int,
) -> tuple[list[UsageRequest], Pending]:
    """Requests of an organization by id, newest first, filtered by their status at `now`."""
    pending = pending_of(organization.pk, now=now)
    found = (
        UsageRequest.objects.filter(organization=organization)
        .select_related(*PEOPLE)
        .order_by("-pk")
    )
    if before is not None:
        found = found.filter(pk__lt=before)
    if status is not None:
        found = found.filter(_has_status(status, pending))
    return list(found[:limit]), pending


def _has_status(status: str, pending: Pending) -> Q:
    if status == UsageRequest.Status.PENDING:
        return Q(pk__in=[one.request.pk for one in pending.waiting])
    ended = [pk for pk, ending in pending.ended.items() if ending == status]
    return Q(status=status) | Q(pk__in=ended)


def organizations_with_pending() -> Iterable[int]:
    """Ids of the organizations that have stored pending requests: the sweeps look at
    these alone.
    """
    return (
        UsageRequest.objects.pending()
        .order_by()
        .values_list("organization_id", flat=True)
        .distinct()
    )
