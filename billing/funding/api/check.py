"""The check: may this member send a request, and who pays (`POST /authorize`).

The key is looked up inside the check's own statement, so that it stays one round trip.
Answers are written as JSON directly: they are built from plain values.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from django.conf import settings
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
from accounts.key_use import Use, note_use
from billing.funding.actions.joining import joined_standing
from billing.funding.promises import sign_authorization
from billing.funding.queries import Standings, standing_by_key
from billing.funding.rules.decision import Decision, decide
from billing.funding.rules.headroom import extra_left, included_left
from billing.funding.rules.layers import Layer
from billing.funding.rules.leases import leased_nanos
from billing.funding.rules.standing import (
    EXTRA_USAGE,
    OrganizationStanding,
    Reason,
    Standing,
)
from billing.funding.schemas import AuthorizeIn, AuthorizeOut
from billing.funding.words import refusal_message, short_message
from config.kit.api import ERRORS, UNAVAILABLE, json_response
from config.kit.clock import HostClock
from config.kit.dates import rfc3339
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
    An allowed answer says how much is left (`remaining_usd`, `window_remaining_usd`), so
    that a client can be careful close to a cap and batch far from it.
    """
    member = str(payload.member or "")
    question = question_of(request, member)
    standing, now = _known(question.standing, member), question.now
    decision = decide(standing)
    answer = _authorization(standing, decision, now=now)
    if payload.lease and decision.funding:
        answer["lease"] = _lease(standing, decision.funding, now=now)
    return json_response(answer)


def _known(standing: Standing | None, member: str) -> Standing:
    """Raises BusinessError where nobody is named, or nobody is there."""
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


class Question(NamedTuple):
    """What a check is asked, by whichever door: about whom (None: about nobody there is),
    in which organization, at an aware UTC instant.
    """

    standing: Standing | None
    organization: OrganizationStanding
    now: dt.datetime


def question_of(request: HttpRequest, member: str) -> Question:
    """Who is asked about with the key of a call: the member who is named, or, without a
    name, whose personal token it is.

    Raises Unauthorized, MissingScope, OtherMember, TooManyCalls, ClockIsOff and
    DatabaseError.
    """
    clock = HostClock.read()
    now = clock.asked_at
    digest = sent_key(request)
    count_call(MEMBER, digest, member.lower())
    opened = standing_by_key(digest, member=member, now=now)
    # Answered by a wrong clock, month and windows would be wrong without a sign, and a
    # key's last day too.
    if opened is not None:
        clock.agree(opened.database_time)
    opened = _checked_key(opened, request, digest=digest, now=now)
    standing = _standing_asked_about(opened, digest, member, now=now)
    return Question(standing, opened.organization, now)


def _standing_asked_about(
    opened: Standings, digest: str, member: str, *, now: dt.datetime
) -> Standing | None:
    """That of the member who is named, or who is made one by the organization's policy
    (X2). Raises OtherMember.
    """
    standing = opened.member(member)
    found_id = standing.membership_id if standing else None
    check_is_own(found_id, key_membership_id=opened.key_membership_id)
    if standing is None and member:
        return joined_standing(opened.organization.id, digest, member=member, now=now)
    return standing


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
        use=Use.ASK,
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
        return {
            **ALLOWED,
            "funding": decision.funding,
            "authorization": token,
            "remaining_usd": _usd_or_none(extra_left(standing)),
            "window_remaining_usd": _usd_or_none(included_left(standing)),
            "changeover": decision.is_changeover,
        }
    language = standing.language
    return {
        **REFUSED,
        "reason": decision.reason,
        "message": refusal_message(decision, standing, language=language, now=now),
        "short_message": short_message(decision, standing, language=language, now=now),
        "resets_at": rfc3339(decision.resets_at),
        **_way_on(standing, decision),
        "layers": [layer_json(layer) for layer in decision.layers],
    }


def _lease(
    standing: Standing, funding: str, *, now: dt.datetime
) -> dict[str, Any] | None:
    """A lease as the API writes it. It ends with the month at the latest, since another
    cap may hold in the next, and of extra usage with the member's yes.
    """
    end = standing.organization.month.end
    if funding == EXTRA_USAGE and standing.organization.asks_first:
        end = min(end, standing.confirmed_until or now)
    lasts = int((end - now).total_seconds())
    nanos, seconds = (
        leased_nanos(standing, funding),
        min(settings.LEASE_SECONDS, lasts),
    )
    if nanos is None or seconds < 1:
        return None
    return {"usd": to_decimal_text(nanos), "seconds": seconds}


def _way_on(standing: Standing, decision: Decision) -> dict[str, str | None]:
    """The member's own page: where they can say yes (N5), or where somebody can be asked,
    by “Request more usage” for those who may (R1), else the owners' names, and for owners
    the way to change it. It does not open for who is no member any more.
    """
    if (url := continue_url(standing, decision)) is not None:
        return {"continue_url": url}
    if not standing.is_active:
        return {}
    return {"request_url": page_url("own_usage", standing.organization.slug)}


def continue_url(standing: Standing, decision: Decision) -> str | None:
    """The page on which a member can say yes to extra usage; None where that is not what
    they wait for.
    """
    if decision.reason is not Reason.CONFIRMATION_NEEDED:
        return None
    return f"{page_url('own_usage', standing.organization.slug)}#continue"


ALLOWED: dict[str, Any] = {
    "allowed": True,
    "funding": None,
    "authorization": None,
    "reason": None,
    "message": None,
    "short_message": None,
    "resets_at": None,
    "request_url": None,
    "continue_url": None,
    "changeover": False,
    "layers": [],
    "remaining_usd": None,
    "window_remaining_usd": None,
    "lease": None,
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
