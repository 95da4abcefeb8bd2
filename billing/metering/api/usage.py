"""The two doors of a gateway: ask before a request (`/authorize`), report after it (`/usage`).

Both look the key up inside their own statement, so that a check stays one round trip. Answers are written as JSON
directly: they are built from plain values, and a full batch has a thousand of them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Body, Router

from accounts.api_access import MissingScope, Unauthorized, bearer_digest
from accounts.key_usage import note_use
from accounts.models import Scope
from billing.funding.promises import sign_authorization
from billing.funding.queries import Found, standing_by_key
from billing.funding.rules.decision import Decision, decide, may_request
from billing.funding.rules.layers import Layer
from billing.funding.rules.standing import Standing
from billing.funding.words import refusal_message
from billing.metering.actions.recording import EventResult, KeyLacksScope, Recorded, UnknownKey, record_usage_by_key
from billing.metering.api.events import parse_event
from billing.metering.api.schemas import AuthorizeIn, AuthorizeOut, UsageIn, UsageOut
from billing.payments.tasks import tend_balance
from config.kit.api import ERRORS, json_response, rfc3339
from config.kit.errors import BusinessError
from config.kit.links import page_url
from config.kit.money import to_decimal_text
from config.kit.pokes import poke

router = Router(tags=["Metering"])
# The key is looked up inside the call's own statement, so the description says what Ninja does not know.
BEARER: dict[str, Any] = {"security": [{"KeyAuth": []}]}


@router.post(
    "/authorize",
    auth=None,
    response={200: AuthorizeOut, **ERRORS},
    openapi_extra=BEARER,
    summary="May this member send a request?",
)
def authorize(request: HttpRequest, payload: Body[AuthorizeIn]) -> HttpResponse:
    """Ask before each request. A refusal is an answer too: 200 with `allowed: false`, the reason and when it ends."""
    now = timezone.now()
    member = str(payload.member)
    found = standing_by_key(bearer_digest(request), member=member, now=now)
    standing = _opened(found).member(member)
    if standing is None:
        raise BusinessError(f"No member “{member}” in this organization.", code="member_not_found", status=404)
    return json_response(_authorization(standing, decide(standing), now=now))


def _opened(found: Found | None) -> Found:
    if found is None:
        raise Unauthorized
    if Scope.METER not in found.scopes:
        raise MissingScope(Scope.METER)
    note_use(found.key_id)
    return found


def _authorization(standing: Standing, decision: Decision, *, now: dt.datetime) -> dict[str, Any]:
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
        "message": refusal_message(decision, standing, language=standing.language, now=now),
        "resets_at": rfc3339(decision.resets_at),
        "request_url": _request_url(standing, decision),
        "layers": [layer_json(layer) for layer in decision.layers],
    }


def _request_url(standing: Standing, decision: Decision) -> str | None:
    """Where the person can press “Request more usage”, for those who may (R1)."""
    if not may_request(standing, decision.reason):
        return None
    return page_url("own_usage", standing.organization.slug)


ALLOWED: dict[str, Any] = {
    "allowed": True, "funding": None, "authorization": None, "reason": None, "message": None, "resets_at": None,
    "request_url": None, "layers": [],
}  # fmt: skip
REFUSED = {**ALLOWED, "allowed": False}


def layer_json(layer: Layer) -> dict[str, Any]:
    """One layer of a refusal as the API writes it."""
    return {
        "kind": layer.kind,
        "state": layer.state,
        "limit_usd": None if layer.limit_nanos is None else to_decimal_text(layer.limit_nanos),
        "spent_usd": None if layer.spent_nanos is None else to_decimal_text(layer.spent_nanos),
        "resets_at": rfc3339(layer.resets_at),
        "who_can_change": layer.who,
        "source": layer.source or None,
    }


@router.post(
    "/usage", auth=None, response={200: UsageOut, **ERRORS}, openapi_extra=BEARER, summary="Report what requests used"
)
def usage(request: HttpRequest, payload: Body[UsageIn]) -> HttpResponse:
    """Report 1 to 1,000 events. What is answered `recorded` is committed; sending the same again is always safe."""
    digest = bearer_digest(request)
    parsed = [parse_event(raw) for raw in payload.events]
    try:
        recorded = record_usage_by_key(
            [event for event in parsed if not isinstance(event, EventResult)], key_digest=digest, now=timezone.now()
        )
    except UnknownKey as error:
        raise Unauthorized from error
    except KeyLacksScope as error:
        raise MissingScope(Scope.METER) from error
    note_use(recorded.key_id)
    if recorded.balance_crossed:
        poke(tend_balance, recorded.organization_id)
    return json_response(_usage_answer(_in_order(parsed, recorded)))


def _in_order(parsed: list[Any], recorded: Recorded) -> list[EventResult]:
    """The results in the order sent, those of events that could not be read among them."""
    results = iter(recorded.results)
    return [one if isinstance(one, EventResult) else next(results) for one in parsed]


COUNTED = {"recorded": "recorded", "duplicate": "duplicates", "conflict": "conflicts", "invalid": "invalid"}


def _usage_answer(results: list[EventResult]) -> dict[str, Any]:
    counts = dict.fromkeys(COUNTED.values(), 0)
    for result in results:
        counts[COUNTED[result.status]] += 1
    return {**counts, "results": [_result_json(result) for result in results]}


def _result_json(result: EventResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "status": result.status,
        "funding": result.funding,
        "cost_usd": None if result.cost_nanos is None else to_decimal_text(result.cost_nanos),
        "estimated": result.estimated,
        "errors": [{"loc": list(loc), "msg": message} for loc, message in result.errors],
    }
