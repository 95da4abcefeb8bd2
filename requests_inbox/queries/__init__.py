"""Reading requests: who waits now (by the standing of each, not by what a job wrote
down), and who may decide.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Membership, Organization, Role
from billing.funding.queries import standing_of, standings_for
from billing.funding.rules.decision import extra_usage_refusal
from billing.funding.rules.standing import Reason, Standing
from config.kit.errors import BusinessError
from requests_inbox.models import UsageRequest
from requests_inbox.rules import RequestFacts, lapsed_status

PEOPLE = ("membership__user", "membership__organization", "decided_by")


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request that waits for a decision, with the present standing of who sent it."""

    request: UsageRequest
    standing: Standing

    @property
    def reason(self) -> Reason:
        """What blocks the member now, whatever is left of the included usage."""
        if self.standing.seat_tier is None:
            return Reason.SEAT_UNASSIGNED
        return extra_usage_refusal(self.standing) or Reason(self.request.reason)


@dataclass(frozen=True, slots=True)
class PendingRequests:
    """The requests of an organization that are stored as pending, told apart by R5: those
    that wait, and the status by id of those that have lapsed.
    """

    waiting: list[PendingRequest]
    lapsed: dict[int, str]


def pending_of(organization_id: int, *, now: dt.datetime) -> PendingRequests:
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
        return PendingRequests([], {})
    standings = standings_for(
        organization_id, [request.membership_id for request in stored], now=now
    )
    waiting, lapsed = [], {}
    for request in stored:
        standing = standings[request.membership_id]
        status = lapsed_status(request_facts(request), standing)
        if status is None:
            waiting.append(PendingRequest(request, standing))
        else:
            lapsed[request.pk] = status
    return PendingRequests(waiting, lapsed)


def request_facts(request: UsageRequest) -> RequestFacts:
    """What the rules look at."""
    return RequestFacts(request.seat_tier, request.reason, request.month_on)


def status_now(request: UsageRequest, standing: Standing) -> str:
    """The status of a request at the moment of its member's standing, whatever a job has
    written down by then.
    """
    if request.status != UsageRequest.Status.PENDING:
        return request.status
    return lapsed_status(request_facts(request), standing) or request.status


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
    return (None, "") if latest is None else (latest, status_now(latest, standing))


def reviewers(organization: Organization) -> QuerySet[Membership]:
    """Admins and owners who can act, owners last (R3)."""
    return (
        Membership.objects.enabled()
        .filter(organization=organization, base_role__in=[Role.ADMIN, Role.OWNER])
        .select_related("user", "organization")
        .order_by("base_role", "pk")
    )


def deciders_for(
    request_membership_id: int, *, organization: Organization
) -> list[Membership]:
    """Who may decide a request: nobody their own, unless they are the only one who may (R3)."""
    everybody = list(reviewers(organization))
    others = [
        reviewer for reviewer in everybody if reviewer.pk != request_membership_id
    ]
    return others or everybody


def may_decide(reviewer: Membership, *, request_membership_id: int) -> bool:
    """Whether this reviewer may decide this request (R3)."""
    if reviewer.pk != request_membership_id:
        return True
    return not reviewers(reviewer.organization).exclude(pk=reviewer.pk).exists()


@dataclass(frozen=True, slots=True)
class RequestState:
    """A request with its status of a moment; while it is pending then, also with the
    standing of who sent it.
    """

    request: UsageRequest
    status: str
    standing: Standing | None


def request_state(
    organization: Organization, request_id: int, *, now: dt.datetime
) -> RequestState:
    """One request by its id. Raises BusinessError `request_not_found`."""
    request = (
        UsageRequest.objects.filter(organization=organization, pk=request_id)
        .select_related(*PEOPLE)
        .first()
    )
    if request is None:
        raise request_not_found()
    if request.status != UsageRequest.Status.PENDING:
        return RequestState(request, request.status, None)
    standing = standing_of(
        request.membership_id, organization_id=organization.pk, now=now
    )
    status = status_now(request, standing)
    is_pending = status == UsageRequest.Status.PENDING
    return RequestState(request, status, standing if is_pending else None)


def request_not_found() -> BusinessError:
    """What is answered to an id that is no request of the organization."""
    return BusinessError(
        _("There is no such request."), code="request_not_found", status=404
    )


def request_list(
    organization: Organization,
    *,
    status: str | None,
    before: int | None,
    now: dt.datetime,
    limit: int,
) -> list[RequestState]:
    """Requests of an organization by id, newest first, filtered by their status at `now`.

    `before` is the id the page begins below. Three queries at most.
    """
    pending = pending_of(organization.pk, now=now)
    requests = (
        UsageRequest.objects.filter(organization=organization)
        .select_related(*PEOPLE)
        .order_by("-pk")
    )
    if before is not None:
        requests = requests.filter(pk__lt=before)
    if status is not None:
        requests = requests.filter(_has_status(status, pending))
    standings = {one.request.pk: one.standing for one in pending.waiting}
    return [
        RequestState(
            request,
            pending.lapsed.get(request.pk, request.status),
            standings.get(request.pk),
        )
        for request in requests[:limit]
    ]


def _has_status(status: str, pending: PendingRequests) -> Q:
    if status == UsageRequest.Status.PENDING:
        return Q(pk__in=[one.request.pk for one in pending.waiting])
    lapsed = [pk for pk, ending in pending.lapsed.items() if ending == status]
    return Q(status=status) | Q(pk__in=lapsed)


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
