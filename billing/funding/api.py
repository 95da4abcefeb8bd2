"""The check: may this member send a request, and who pays (`POST /authorize`).

The key is looked up inside the check's own statement, so that it stays one round trip.
Answers are written as JSON directly: they are built from plain values.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, Router

from accounts.api_access import (
    BEARER,
    Unauthorized,
    check_is_own,
    check_may_ask,
    hot_path_key,
    sent_key,
)
from accounts.key_use import note_use
from billing.funding.promises import sign_authorization
from billing.funding.queries import Standings, standing_by_key
from billing.funding.rules.decision import Decision, decide, may_request
from billing.funding.rules.layers import Layer
from billing.funding.rules.standing import Standing
from billing.funding.schemas import AuthorizeIn, AuthorizeOut
from billing.funding.words import refusal_message
from config.kit.api import ERRORS, UNAVAILABLE, json_response, rfc3339
from config.kit.clock import HostClock
from config.kit.errors import BusinessError
from config.kit.limits import MEMBER, count_call
from config.kit.links import page_url
from config.kit.money import to_decimal_text

router = Router(tags=["Metering"])


@router.post(
    "/authorize",
    auth=hot_path_key,
    response={200: AuthorizeOut, **ERRORS, **UNAVAILABLE},
    openapi_extra=BEARER,
    summary="May this member send a request?",
)
def authorize(request: HttpRequest, payload: Body[AuthorizeIn]) -> HttpResponse:
    """Ask before each request.

    A refusal is an answer too: 200 with `allowed: false`, the reason and when it ends.
    """
    clock = HostClock.read()
    now = clock.asked_at
    member = str(payload.member or "")
    digest = sent_key(request)
    count_call(MEMBER, digest, member.lower())
    opened = standing_by_key(digest, member=member, now=now)
    # Answered by a wrong clock, month and windows would be wrong without a sign, and a
    # key's last day too.
    if opened is not None:
        clock.agree(opened.database_time)
    opened = _checked_key(opened, request, digest=digest, now=now)
    standing = _asked_about(opened, member)
    return json_response(_authorization(standing, decide(standing), now=now))


def _asked_about(opened: Standings, member: str) -> Standing:
    """Raises OtherMember, and BusinessError where nobody is named, or nobody there is."""
    standing = opened.member(member)
    found_id = standing.membership_id if standing else None
    check_is_own(found_id, key_membership_id=opened.key_membership_id)
    if standing is not None:
        return standing
    if not member:
        raise BusinessError(
            "Field required", code="no_member", status=422, field="member"
        )
    raise BusinessError(
        f"No member “{member}” in this organization.",
        code="member_not_found",
        status=404,
    )


def _checked_key(
    opened: Standings | None, request: HttpRequest, *, digest: str, now: dt.datetime
) -> Standings:
    """What the key opened. Raises Unauthorized, MissingScope."""
    if opened is None or not opened.is_open(now):
        raise Unauthorized
    check_may_ask(opened.scopes)
    note_use(
        opened.key_id,
        request,
        digest=digest,
        organization_id=opened.organization.id,
    )
    return opened


def _authorization(
    standing: Standing, decision: Decision, *, now: dt.datetime
) -> dict[str, Any]:
    if decision.funding:
        token = sign_authorization(
            decision.funding,
            organization_id=standing.organization.id,
            membership_id=standing.membership_id,
            now=now,
        )
        return {**ALLOWED, "funding": decision.funding, "authorization": token}
    return {
        **REFUSED,
        "reason": decision.reason,
        "message": refusal_message(
            decision, standing, language=standing.language, now=now
        ),
        "resets_at": rfc3339(decision.resets_at),
        "request_url": _request_url(standing, decision),
        "layers": [layer_json(layer) for layer in decision.layers],
    }


def _request_url(standing: Standing, decision: Decision) -> str | None:
    """Where the member can press “Request more usage”, for those who may (R1)."""
    if not may_request(standing, decision.reason):
        return None
    return page_url("own_usage", standing.organization.slug)


ALLOWED: dict[str, Any] = {
    "allowed": True,
    "funding": None,
    "authorization": None,
    "reason": None,
    "message": None,
    "resets_at": None,
    "request_url": None,
    "layers": [],
}


REFUSED = {**ALLOWED, "allowed": False}


def layer_json(layer: Layer) -> dict[str, Any]:
    """One layer of a refusal as the API writes it."""
    return {
        "kind": layer.kind,
        "state": layer.state,
        "limit_usd": _usd_or_none(layer.limit_nanos),
        "spent_usd": _usd_or_none(layer.spent_nanos),
        "resets_at": rfc3339(layer.resets_at),
        "who_can_change": layer.who,
        "source": layer.source or None,
    }


def _usd_or_none(nanos: int | None) -> str | None:
    if nanos is None:
        return None
    return to_decimal_text(nanos)
