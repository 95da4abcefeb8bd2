"""The report: what requests used (`POST /usage`).

The key is looked up inside the recorder's own statement. Answers are written as JSON
directly: they are built from plain values, and a full batch has a thousand of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, Router

from accounts.api_access import (
    BEARER,
    MissingScope,
    Unauthorized,
    hot_path_key,
    sent_key,
)
from accounts.key_use import Use, note_use
from accounts.models import Scope
from billing.metering.actions.recording import (
    KeyLacksScope,
    Recorded,
    UnknownKey,
    record_usage_by_key,
)
from billing.metering.actions.results import Errors, EventResult
from billing.metering.api.events import read_events
from billing.metering.api.schemas import UsageIn, UsageOut
from billing.metering.rules.events import ReportedEvent
from billing.notices.tasks import tell_soon
from billing.payments.tasks import reload_if_due
from config.kit.api import ERRORS, UNAVAILABLE, json_response
from config.kit.clock import HostClock
from config.kit.jobs import enqueue
from config.kit.money import to_decimal_text
from config.kit.places import also_called

router = Router(tags=["Metering"])


@router.post(
    "/usage",
    auth=hot_path_key,
    response={200: UsageOut, **ERRORS, **UNAVAILABLE},
    openapi_extra=BEARER,
    summary="Report what requests used",
)
def usage(request: HttpRequest, payload: Body[UsageIn]) -> HttpResponse:
    """Report 1 to 1,000 events.

    What is answered `recorded` is committed; sending the same again is always safe.
    After a 503 nothing is: send the same again after `Retry-After` seconds.
    """
    digest = sent_key(request)
    batch = read_events(payload.events)
    recorded = record_reported(batch.events, request, digest=digest)
    results = [_result_json(result) for result in recorded.results]
    # Positions ascend, so each lands where it was sent.
    for position, event in batch.unreadable.items():
        results.insert(position, _invalid_json(event.id, event.errors))
    return json_response({**_counts(results), "results": results})


def record_reported(
    events: Sequence[ReportedEvent], request: HttpRequest, *, digest: str
) -> Recorded:
    """Record what a call with the key of this digest reports, by whichever door it came.

    Raises Unauthorized, MissingScope, ClockIsOff, DatabaseError.
    """
    clock = HostClock.read()
    try:
        recorded = record_usage_by_key(
            events, key_digest=digest, now=clock.asked_at, clock=clock
        )
    except UnknownKey as error:  # for one that was known: revoked since the call began
        raise Unauthorized from error
    except KeyLacksScope as error:
        raise MissingScope(Scope.METER) from error
    also_called(digest, recorded.organization_id)
    _note_report(recorded, request, digest=digest)
    if recorded.balance_crossed:
        enqueue(reload_if_due, recorded.organization_id)
    if recorded.notices_written:
        tell_soon(recorded.organization_id)
    return recorded


def _note_report(recorded: Recorded, request: HttpRequest, *, digest: str) -> None:
    """Remember that the key of these events reported, and the first that is new."""
    new = (one.id or "" for one in recorded.results if one.status == "recorded")
    event_id = next(new, "")
    note_use(
        recorded.key_id,
        request,
        digest=digest,
        organization_id=recorded.organization_id,
        use=Use.REPORT if event_id else Use.NOTHING,
        event_id=event_id,
    )


PLURALS = {
    "recorded": "recorded",
    "duplicate": "duplicates",
    "conflict": "conflicts",
    "invalid": "invalid",
}


def _counts(results: list[dict[str, Any]]) -> dict[str, int]:
    statuses = Counter(result["status"] for result in results)
    return {plural: statuses[status] for status, plural in PLURALS.items()}


def _result_json(result: EventResult) -> dict[str, Any]:
    if result.status == "invalid":
        return _invalid_json(result.id, result.errors)
    cost = result.cost_nanos
    return {
        "id": result.id,
        "status": result.status,
        "funding": result.funding,
        "cost_usd": None if cost is None else to_decimal_text(cost),
        "estimated": result.estimated,
        "errors": [],
        **({"notes": list(result.notes)} if result.notes else {}),
    }


def _invalid_json(id: str | None, errors: Errors) -> dict[str, Any]:
    return {
        "id": id,
        "status": "invalid",
        "funding": None,
        "cost_usd": None,
        "estimated": False,
        "errors": [{"loc": list(loc), "msg": message} for loc, message in errors],
    }
