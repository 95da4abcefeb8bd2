"""The report: what requests used (`POST /usage`).

The key is looked up inside the recorder's own statement. Answers are written as JSON
directly: they are built from plain values, and a full batch has a thousand of them.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Body, Router

from accounts.api_access import BEARER, MissingScope, Unauthorized, bearer_digest
from accounts.key_usage import note_use
from accounts.models import Scope
from billing.metering.actions.recording import (
    EventResult,
    KeyLacksScope,
    Recorded,
    UnknownKey,
    record_usage_by_key,
)
from billing.metering.api.events import parse_event
from billing.metering.api.schemas import UsageIn, UsageOut
from billing.payments.tasks import reload_if_due
from config.kit.api import ERRORS, json_response
from config.kit.jobs import enqueue
from config.kit.money import to_decimal_text

router = Router(tags=["Metering"])


@router.post(
    "/usage",
    auth=None,
    response={200: UsageOut, **ERRORS},
    openapi_extra=BEARER,
    summary="Report what requests used",
)
def usage(request: HttpRequest, payload: Body[UsageIn]) -> HttpResponse:
    """Report 1 to 1,000 events.

    What is answered `recorded` is committed; sending the same again is always safe.
    """
    digest = bearer_digest(request)
    parsed = [parse_event(raw) for raw in payload.events]
    try:
        recorded = record_usage_by_key(
            [event for event in parsed if not isinstance(event, EventResult)],
            key_digest=digest,
            now=timezone.now(),
        )
    except UnknownKey as error:
        raise Unauthorized from error
    except KeyLacksScope as error:
        raise MissingScope(Scope.METER) from error
    note_use(recorded.key_id)
    if recorded.balance_crossed:
        enqueue(reload_if_due, recorded.organization_id)
    return json_response(_usage_answer(_in_order(parsed, recorded)))


def _in_order(parsed: list[Any], recorded: Recorded) -> list[EventResult]:
    """The results in the order sent, those of events that could not be read among them."""
    results = iter(recorded.results)
    return [one if isinstance(one, EventResult) else next(results) for one in parsed]


COUNTED = {
    "recorded": "recorded",
    "duplicate": "duplicates",
    "conflict": "conflicts",
    "invalid": "invalid",
}


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
        "cost_usd": None
        if result.cost_nanos is None
        else to_decimal_text(result.cost_nanos),
        "estimated": result.estimated,
        "errors": [
            {"loc": list(loc), "msg": message} for loc, message in result.errors
        ],
    }
