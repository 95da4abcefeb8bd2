"""Requests, waiting and decided: for reviewers, as a page and a CSV; a member's own
(R9). Reads only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Role, Tier
from billing.funding.queries import standings_for
from billing.funding.rules.standing import Standing
from config.kit.csv_files import Amount, streamed
from config.kit.dates import dated_day_text, duration_text, moment_label
from config.kit.ids import is_row_id
from config.kit.later import much_to_make
from config.kit.months import local_day
from requests_inbox.models import UsageRequest
from requests_inbox.queries.history import (
    HistoryFilter,
    Outcome,
    deciders,
    ended_requests,
    outcome_counts,
    own_ended_requests,
    pace_of,
)
from requests_inbox.views.review_rows import Review
from requests_inbox.words import (
    cap_kind_text,
    outcome_detail,
    outcome_text,
    then_reason_text,
)

PAGE_SIZE = 50
DAYS = {"90": 90, "365": 365, "all": None}


@dataclass(frozen=True, slots=True)
class EndedRow:
    """An ended request as the table shows it; `standing` is its member's now."""

    request: UsageRequest
    zone: str
    now: dt.datetime
    standing: Standing | None = None

    @property
    def name(self) -> str:
        """Who asked."""
        return str(self.request.membership.user)

    @property
    def seat(self) -> str:
        """The seat then."""
        return Tier.label_of(self.request.seat_tier)

    @property
    def asked(self) -> str:
        """When it was asked, in the organization's zone."""
        return moment_label(self.request.created_at, zone=self.zone, now=self.now)

    @property
    def ended(self) -> str:
        """When it ended."""
        assert self.request.ended_at is not None
        return moment_label(self.request.ended_at, zone=self.zone, now=self.now)

    @property
    def waited(self) -> str:
        """From the press to the end."""
        assert self.request.ended_at is not None
        return duration_text(self.request.ended_at - self.request.created_at)

    @property
    def reason(self) -> str:
        """What blocked them then."""
        return then_reason_text(self.request)

    @property
    def outcome(self) -> str:
        """What became of it."""
        return outcome_text(self.request)

    @property
    def detail(self) -> str:
        """How long it holds, or why it ended."""
        return outcome_detail(self.request, zone=self.zone)

    @property
    def shape(self) -> str:
        """The mark beside the outcome, so that not color alone says it."""
        status = self.request.status
        if status == UsageRequest.Status.APPROVED:
            return "raised"
        is_no = status == UsageRequest.Status.DISMISSED
        return "dismissed" if is_no else "itself"

    @property
    def is_removed(self) -> bool:
        """Whether they have left since."""
        return not self.request.membership.is_active

    @property
    def cap_now(self) -> str:
        """Where their cap comes from now; empty for somebody who has left."""
        return cap_kind_text(self.standing) if self.standing else ""


def filter_of(request: HttpRequest, *, now: dt.datetime) -> HistoryFilter:
    """What the address asks for; what it can't mean is left out."""
    outcome = request.GET.get("outcome", "")
    by = request.GET.get("by", "")
    days = DAYS.get(request.GET.get("days", "90"), 90)
    return HistoryFilter(
        search=request.GET.get("q", "").replace("\0", "").strip()[:100],
        outcome=Outcome(outcome) if outcome in set(Outcome) else None,
        decided_by=int(by) if is_row_id(by) else None,
        since=None if days is None else now - dt.timedelta(days=days),
    )


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def requests(request: MemberRequest, membership: Membership) -> HttpResponse:
    """What waits, or with `?show=decided` what has ended."""
    organization = membership.organization
    if not organization.has_seats:
        raise Http404
    now = timezone.now()
    zone = organization.zone_at(now)
    review = Review(membership, now)
    ended = ended_requests(organization.pk)
    context = {
        "organization": organization,
        "membership": membership,
        "now": now,
        "zone": zone,
        "review": review,
        "hour": f"{organization.digest_hour:02}:00",
        "is_owner": membership.is_at_least(Role.OWNER),
        "show": "decided" if request.GET.get("show") == "decided" else "waiting",
    }
    if context["show"] == "decided":
        context |= _decided(request, ended, membership, zone=zone, now=now)
    else:
        context["ended_count"] = ended.count()
    return render(request, "requests_inbox/requests.html", context)


def _decided(
    request: HttpRequest,
    ended: QuerySet[UsageRequest],
    membership: Membership,
    *,
    zone: str,
    now: dt.datetime,
) -> dict[str, Any]:
    chosen = filter_of(request, now=now)
    found = chosen.found(ended)
    counts = outcome_counts(found)
    page = Paginator(chosen.of_outcome(found), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    ids = [one.membership_id for one in page if one.membership.is_active]
    standings = standings_for(membership.organization_id, ids, now=now) if ids else {}
    days = request.GET.get("days", "90")
    return {
        "ended_count": ended.count(),
        "chosen": chosen,
        "days": days if days in DAYS else "90",
        "since": chosen.since and dated_day_text(local_day(chosen.since, zone)),
        "counts": [(outcome, counts[outcome]) for outcome in Outcome],
        "found_count": sum(counts.values()),
        "pace": pace_of(found),
        "deciders": deciders(ended),
        "page": page,
        "rows": [
            EndedRow(one, zone, now, standings.get(one.membership_id)) for one in page
        ],
    }


@member_page(Role.ADMIN)
@require_safe
@much_to_make
def requests_csv(
    request: MemberRequest, membership: Membership
) -> StreamingHttpResponse:
    """Every ended request that the page's filter finds, on all its pages."""
    now = timezone.now()
    chosen = filter_of(request, now=now)
    found = chosen.of_outcome(chosen.found(ended_requests(membership.organization_id)))
    zone = membership.organization.zone_at(now)
    name = f"{membership.organization.slug}-requests"
    return streamed(_rows(found, zone=zone, now=now), name=name)


def _rows(
    found: QuerySet[UsageRequest], *, zone: str, now: dt.datetime
) -> Iterator[list[Any]]:
    yield [
        _("Person"),
        _("E-mail"),
        _("Seat"),
        _("Asked (UTC)"),
        _("Ended (UTC)"),
        _("Reason"),
        _("Asked for (USD)"),
        _("Note"),
        _("Outcome"),
        _("New cap (USD)"),
        _("Decided by"),
        _("Note with the answer"),
    ]
    for one in found.iterator(chunk_size=1_000):
        row = EndedRow(one, zone, now)
        yield [
            row.name,
            one.membership.user.email,
            row.seat,
            one.created_at,
            one.ended_at,
            row.reason,
            _amount(one.asked_nanos),
            one.note,
            row.outcome,
            _amount(one.granted_nanos),
            one.decider,
            one.answer_note,
        ]


def _amount(nanos: int | None) -> Amount | None:
    return None if nanos is None else Amount(nanos, places=2)


@member_page()
@require_safe
def own_requests(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The reader's own requests that have ended, with their answers."""
    organization = membership.organization
    now = timezone.now()
    zone = organization.zone_at(now)
    ended = own_ended_requests(membership.pk)
    page = Paginator(ended, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "organization": organization,
        "page": page,
        "rows": [EndedRow(one, zone, now) for one in page],
    }
    return render(request, "requests_inbox/own_requests.html", context)
