"""Usage of somebody unknown by API: what is open, and assigning it to a member (X2).
Scopes `read` and `manage`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Body, Path, Query, Router, Schema

from accounts.actions.audit import Actor
from accounts.api_access import KeyAuth, MemberRef, organization_of
from accounts.models import Scope
from accounts.queries import member_by_ref
from billing.metering.actions.assigning import (
    Assigned,
    assign_usage,
    preview_assignment,
)
from billing.metering.queries.unattributed import open_names
from billing.models import UnattributedName
from config.kit.api import ERRORS
from config.kit.errors import BusinessError
from config.kit.money import to_decimal_text

router = Router()
PAGE = 100
RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Cursor = Annotated[
    str | None,
    Query(
        max_length=18,
        pattern=r"^[0-9]{1,18}$",
        description="`next_cursor` of the page before.",
    ),
]


class UnattributedOut(Schema):
    id: int
    sent_as: str
    events: int
    cost_usd: str
    extra_usage_usd: str
    unbilled_usd: str
    first_seen: datetime
    last_seen: datetime


class UnattributedList(Schema):
    results: list[UnattributedOut]
    next_cursor: str | None


class AssignIn(Schema):
    """To whom; with `dry_run` nothing is booked."""

    member: MemberRef
    dry_run: bool = False


class AssignOut(Schema):
    member: int
    dry_run: bool
    events: int
    cost_usd: str
    extra_usage_usd: str
    unbilled_usd: str
    # Events that are still open: call again.
    remaining: int


@router.get(
    "/unattributed",
    auth=KeyAuth(Scope.READ),
    tags=["Reading"],
    response={200: UnattributedList, **ERRORS},
    summary="Usage of people nobody knows, by the name that was sent",
)
def unattributed(request: HttpRequest, cursor: Cursor = None) -> dict[str, Any]:
    """What is assigned to nobody. Pages of 100 by id; `next_cursor` of one call is the
    `cursor` of the next.
    """
    names = open_names(organization_of(request).pk).filter(pk__gt=int(cursor or 0))
    # One more than the page, to know whether there is another.
    with_next = list(names[: PAGE + 1])
    page = with_next[:PAGE]
    return {
        "results": [_name_json(name) for name in page],
        "next_cursor": str(page[-1].pk) if len(with_next) > PAGE else None,
    }


def _name_json(name: UnattributedName) -> dict[str, Any]:
    return {
        "id": name.pk,
        "sent_as": name.sent_as,
        "events": name.events,
        "cost_usd": to_decimal_text(name.cost_nanos),
        "extra_usage_usd": to_decimal_text(name.extra_nanos),
        "unbilled_usd": to_decimal_text(name.unbilled_nanos),
        "first_seen": name.first_seen_at,
        "last_seen": name.last_seen_at,
    }


@router.post(
    "/unattributed/{id}/assign",
    auth=KeyAuth(Scope.MANAGE),
    tags=["Managing"],
    response={200: AssignOut, **ERRORS},
    summary="Assign usage of somebody unknown to a member",
)
def assign(request: HttpRequest, id: RowId, payload: Body[AssignIn]) -> dict[str, Any]:
    """Off the unattributed line, onto the member, by adjustments that count to the open
    month. Each event moves once, so calling again is safe; at most 5,000 events a call:
    while `remaining` is not 0, call again. New events of the name stay unattributed.
    """
    organization = organization_of(request)
    name = UnattributedName.objects.filter(organization=organization, pk=id).first()
    if name is None:
        raise BusinessError(
            _("There is no unattributed usage “%(id)s” in this organization.")
            % {"id": id},
            code="unattributed_not_found",
            status=404,
        )
    member = member_by_ref(organization, str(payload.member))
    if payload.dry_run:
        would = preview_assignment(name, member)
        return _assigned_json(would, member.pk, dry_run=True)
    actor = Actor(label=f"API key {request.auth.name}")  # type: ignore[attr-defined]
    done = assign_usage(name, member, actor=actor, now=timezone.now())
    return _assigned_json(done, member.pk, dry_run=False)


def _assigned_json(
    assigned: Assigned, member_id: int, *, dry_run: bool
) -> dict[str, Any]:
    return {
        "member": member_id,
        "dry_run": dry_run,
        "events": assigned.events,
        "cost_usd": to_decimal_text(assigned.cost_nanos),
        "extra_usage_usd": to_decimal_text(assigned.extra_nanos),
        "unbilled_usd": to_decimal_text(assigned.unbilled_nanos),
        "remaining": assigned.left,
    }
