"""Requests by API: reading (scope `read`), sending and deciding (scope `manage`).

The same rules, audit and mails as the pages.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Body, Query, Router, Schema
from pydantic import ConfigDict, Field, StrictBool

from accounts.actions.audit import Actor
from accounts.api_access import KeyAuth, MemberRef, organization_of
from accounts.models import Scope
from accounts.queries import member_by_ref
from accounts.tasks import send_mail
from config.kit.api import ERRORS, AmountText, CentsUsd, Usd
from config.kit.errors import BusinessError
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
from requests_inbox.queries import Pending, request_list

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


def _cap(nanos: int | None) -> str | None:
    return None if nanos is None else to_decimal_text(nanos, places=2)


def request_json(request: UsageRequest, pending: Pending) -> dict[str, Any]:
    """A request as the API writes it, with its status of this moment."""
    standing = next(
        (one.standing for one in pending.waiting if one.request.pk == request.pk), None
    )
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
        "cap_usd": _cap(standing.cap.amount_nanos if standing else request.cap_nanos),
        "note": request.note or None,
        "asked_usd": _cap(request.asked_nanos),
        "created_at": request.created_at,
        "status": pending.ended.get(request.pk, request.status),
        "decided_by": request.decider or None,
        "decided_at": request.ended_at if request.decider else None,
        "answer_note": request.answer_note or None,
        "granted_usd": _cap(request.granted_nanos),
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
    found, pending = request_list(
        organization_of(request),
        status=status,
        before=before,
        now=timezone.now(),
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    return {
        "results": [request_json(one, pending) for one in shown],
        "next_cursor": str(shown[-1].pk) if len(found) > PAGE else None,
    }


def _fresh(request: HttpRequest, request_id: int) -> dict[str, Any]:
    organization = organization_of(request)
    found, pending = request_list(
        organization, status=None, before=request_id + 1, now=timezone.now(), limit=1
    )
    return request_json(found[0], pending)


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
    return _fresh(request, sent.request.pk)


def _reviewer(request: HttpRequest) -> Reviewer:
    return Reviewer(Actor(label=f"API key {request.auth.name}"))  # type: ignore[attr-defined]


def _answer(request: HttpRequest, done: Decided) -> dict[str, Any]:
    for mail in done.mails:
        send_mail.delay_on_commit(mail)
    return _fresh(request, done.request.pk)


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
        return _answer(
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
    return _answer(request, done)


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
    return _answer(request, done)


@managing.post(
    "/requests/{request_id}/withdraw",
    response={200: RequestOut, **ERRORS},
    summary="Withdraw a request",
)
def withdraw(request: HttpRequest, request_id: RequestPath) -> dict[str, Any]:
    """On behalf of the member who sent it."""
    organization, now = organization_of(request), timezone.now()
    found, _pending = request_list(
        organization, status="pending", before=request_id + 1, now=now, limit=1
    )
    if not found or found[0].pk != request_id:
        raise BusinessError(
            _("There is no such request."), code="request_not_found", status=404
        )
    withdraw_request(found[0].membership, now=now)
    return _fresh(request, request_id)
