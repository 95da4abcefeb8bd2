"""Requests by API: reading (scope `read`), sending and deciding (scope `manage`).

The same rules, audit and mails as the pages.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Body, Query, Router, Schema
from pydantic import ConfigDict, Field, StrictBool

from accounts.actions.audit import Actor
from accounts.api_access import KeyAuth, MemberRef, organization_of
from accounts.models import Scope
from accounts.queries import member_by_ref
from accounts.tasks import send_soon
from config.kit.api import ERRORS, AmountText, CentsUsd, Usd
from config.kit.money import to_decimal_text, usd
from requests_inbox.actions.asking import send_request, withdraw_request
from requests_inbox.actions.deciding import (
    Decided,
    Reviewer,
    dismiss_request,
    increase_limit,
    move_to_premium,
)
from requests_inbox.models import NOTE_LENGTH, UsageRequest
from requests_inbox.queries import (
    RequestState,
    request_list,
    request_not_found,
    request_state,
)

reading = Router(tags=["Requests"], auth=KeyAuth(Scope.READ))
managing = Router(tags=["Requests"], auth=KeyAuth(Scope.MANAGE))
PAGE = 100
Status = Literal["pending", "approved", "dismissed", "resolved", "withdrawn"]
NoteText = Annotated[str, Field(max_length=NOTE_LENGTH)]
RequestPath = Annotated[int, Field(ge=1, le=2**63 - 1)]


class RequestOut(Schema):
    """One request.

    Spend and cap are the present ones while it is pending, else those of its end.
    """

    id: int
    member: int
    email: str
    name: str
    seat_tier: Literal["standard", "premium"]
    reason: str
    mtd_spend_usd: Usd
    cap_usd: CentsUsd | None
    note: str | None
    asked_usd: CentsUsd | None
    created_at: dt.datetime
    status: Status
    decided_by: str | None
    decided_at: dt.datetime | None
    answer_note: str | None
    granted_usd: CentsUsd | None
    granted_this_month_only: bool
    granted_seat_tier: Literal["premium"] | None


class RequestList(Schema):
    """A page of requests, newest first."""

    results: list[RequestOut]
    next_cursor: str | None


class AskIn(Schema):
    """Whose request, and optionally why and how much."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"member": "bob@acme.example"}}
    )

    member: MemberRef
    note: NoteText | None = None
    asked_usd: AmountText | None = None


class IncreaseIn(Schema):
    """Approve by a higher limit."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"amount_usd": "60.00"}}
    )

    amount_usd: AmountText
    this_month_only: StrictBool = False


class PremiumIn(Schema):
    """Approve by a premium seat."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"seat_tier": "premium"}}
    )

    seat_tier: Literal["premium"]


class DismissIn(Schema):
    """Say no, with an optional note to the member."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"note": "Wait for December."}}
    )

    note: NoteText | None = None


def _cents(nanos: int | None) -> str | None:
    return None if nanos is None else to_decimal_text(nanos, places=2)


def request_json(state: RequestState) -> dict[str, Any]:
    """A request as the API writes it, with its status of this moment."""
    request, standing = state.request, state.standing
    return {
        "id": request.pk,
        "member": request.membership_id,
        "email": request.membership.user.email,
        "name": request.membership.user.name,
        "seat_tier": request.seat_tier,
        "reason": request.reason,
        "mtd_spend_usd": to_decimal_text(
            standing.spent_nanos if standing else request.spent_nanos
        ),
        "cap_usd": _cents(standing.cap.amount_nanos if standing else request.cap_nanos),
        "note": request.note or None,
        "asked_usd": _cents(request.asked_nanos),
        "created_at": request.created_at,
        "status": state.status,
        "decided_by": request.decider or None,
        "decided_at": request.ended_at if request.decider else None,
        "answer_note": request.answer_note or None,
        "granted_usd": _cents(request.granted_nanos),
        "granted_this_month_only": request.granted_month_only,
        "granted_seat_tier": request.granted_tier or None,
    }


@reading.get(
    "/requests",
    response={200: RequestList, **ERRORS},
    summary="Requests for more usage",
)
def requests(
    request: HttpRequest,
    status: Annotated[Status | None, Query()] = None,
    cursor: Annotated[
        str | None, Query(max_length=30, pattern=r"^[0-9]{1,18}$")
    ] = None,
) -> dict[str, Any]:
    """Pages of 100, newest first; `status` is the one of this moment, also before a job
    has written it down.
    """
    before = None if cursor is None else int(cursor)
    states = request_list(
        organization_of(request),
        status=status,
        before=before,
        now=timezone.now(),
        limit=PAGE + 1,
    )
    page = states[:PAGE]
    return {
        "results": [request_json(state) for state in page],
        "next_cursor": str(page[-1].request.pk) if len(states) > PAGE else None,
    }


def _present_json(request: HttpRequest, request_id: int) -> dict[str, Any]:
    return request_json(
        request_state(organization_of(request), request_id, now=timezone.now())
    )


# On the reading router's path, but it writes: scope `manage`.
@reading.post(
    "/requests",
    auth=KeyAuth(Scope.MANAGE),
    response={200: RequestOut, **ERRORS},
    summary="Send a member's request",
)
def ask(request: HttpRequest, payload: Body[AskIn]) -> dict[str, Any]:
    """What the member's own click does.

    A second one finds the first one's request, and may add note and amount.
    """
    member = member_by_ref(organization_of(request), str(payload.member))
    note = None if payload.note is None else payload.note.replace("\0", "")
    asked = None if payload.asked_usd is None else usd(payload.asked_usd)
    sent = send_request(member, note=note, asked_nanos=asked, now=timezone.now())
    return _present_json(request, sent.request.pk)


def _reviewer(request: HttpRequest) -> Reviewer:
    return Reviewer(Actor(label=f"API key {request.auth.name}"))  # type: ignore[attr-defined]


def _send_answer(request: HttpRequest, done: Decided) -> dict[str, Any]:
    send_soon(done.mails)
    return _present_json(request, done.request.pk)


@managing.post(
    "/requests/{request_id}/approve",
    response={200: RequestOut, **ERRORS},
    summary="Approve a request",
)
def approve(
    request: HttpRequest, request_id: RequestPath, payload: Body[IncreaseIn | PremiumIn]
) -> dict[str, Any]:
    """By a higher limit, or by a premium seat."""
    organization, by, now = organization_of(request), _reviewer(request), timezone.now()
    if isinstance(payload, PremiumIn):
        return _send_answer(
            request,
            move_to_premium(organization, request_id=request_id, by=by, now=now),
        )
    done = increase_limit(
        organization,
        request_id=request_id,
        amount_nanos=usd(payload.amount_usd),
        this_month_only=payload.this_month_only,
        by=by,
        now=now,
    )
    return _send_answer(request, done)


@managing.post(
    "/requests/{request_id}/dismiss",
    response={200: RequestOut, **ERRORS},
    summary="Dismiss a request",
)
def dismiss(
    request: HttpRequest, request_id: RequestPath, payload: Body[DismissIn]
) -> dict[str, Any]:
    """The member is told by mail, with the note."""
    note = (payload.note or "").replace("\0", "")
    done = dismiss_request(
        organization_of(request),
        request_id=request_id,
        note=note,
        by=_reviewer(request),
        now=timezone.now(),
    )
    return _send_answer(request, done)


@managing.post(
    "/requests/{request_id}/withdraw",
    response={200: RequestOut, **ERRORS},
    summary="Withdraw a request",
)
def withdraw(request: HttpRequest, request_id: RequestPath) -> dict[str, Any]:
    """On behalf of the member who sent it."""
    organization, now = organization_of(request), timezone.now()
    state = request_state(organization, request_id, now=now)
    if state.status != UsageRequest.Status.PENDING:
        raise request_not_found()
    withdraw_request(state.request.membership, now=now)
    return _present_json(request, request_id)
