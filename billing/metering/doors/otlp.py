"""OTLP over HTTP: telemetry of Claude Code, and of whatever follows OpenTelemetry's GenAI
conventions, becomes reported usage. Metrics, which have no ids, are taken and dropped.

Exporters send again after a 503 and drop what they sent after a 400, so an outage is the
first and a body that can't be read the second.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router
from ninja.errors import HttpError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from accounts.api_access import KeyAuth, own_membership_id
from accounts.models import Scope
from billing.metering.doors.taking import Taken, take
from billing.metering.intake import claude_code, gen_ai
from billing.metering.intake.otlp import Record, logs_in, spans_in
from billing.metering.intake.packed import (
    TooMuch,
    Undecodable,
    UnpackedTooLong,
    unpacked,
)
from config.kit.api import json_response, problem
from config.kit.doors import TELEMETRY_LIMIT, TELEMETRY_TOO_LONG
from config.kit.limits import HOT
from config.kit.otlp import JSON, PROTOBUF, encoding_of

# Clients report as often as their users work, so each is counted like a gateway.
router = Router(tags=["Telemetry"], auth=KeyAuth(Scope.METER, Scope.SELF, limit=HOT))
# A large body is a hundred times as large once it is decoded, and takes long to record:
# one at a time, so that a thread of telemetry's two is left to all others.
LARGE = 1_048_576  # bytes
LARGE_PACKED = 262_144  # bytes, unpacked: what packs well is the largest once decoded
_large = threading.Lock()
COME_AGAIN = 3  # seconds
Events = list[dict[str, Any]]


class LargeUnderWay(Exception):
    """Another large export is being read and recorded by this process: 503."""


class Turn:
    """The turn of one export, until it is recorded."""

    def __init__(self) -> None:
        self.is_large = False

    def take_large(self) -> None:
        """Be the large one. Raises LargeUnderWay."""
        if not _large.acquire(blocking=False):
            raise LargeUnderWay
        self.is_large = True


def _by_turns(view: Callable[[HttpRequest, Turn], HttpResponse]) -> View:
    """A view of exports, of which one at a time is large; to send again is safe."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        turn = Turn()
        try:
            return view(request, turn)
        except LargeUnderWay:
            busy = problem(status=503, detail=BUSY)
            busy["Retry-After"] = str(COME_AGAIN)
            return busy
        finally:
            if turn.is_large:
                _large.release()

    # Ninja reads which parameters a view takes.
    del answer.__wrapped__  # type: ignore[attr-defined]
    return answer


View = Callable[[HttpRequest], HttpResponse]
BUSY = "Another large export is being recorded. Send this one again in a moment."
Kept = TypeVar("Kept")


@router.post("/logs", url_name="otlp_logs")
@_by_turns
def logs(request: HttpRequest, turn: Turn) -> HttpResponse:
    """Claude Code's requests, and events of the GenAI conventions; all other records are
    taken and dropped.
    """
    own, now = _own_member(request), timezone.now()
    events = _decoded(request, turn, logs_in, partial(_events, own=own, now=now))
    taken = take(request, events)
    return _answer(request, taken, ExportLogsServiceResponse, "rejected_log_records")


@router.post("/traces", url_name="otlp_traces")
@_by_turns
def traces(request: HttpRequest, turn: Turn) -> HttpResponse:
    """Calls of models by the GenAI conventions; all other spans are taken and dropped."""
    own, now = _own_member(request), timezone.now()
    calls = _decoded(request, turn, spans_in, gen_ai.calls_in)
    events = [gen_ai.event_of(record, own=own, now=now) for record in calls.records]
    taken = take(request, events)
    for complaint in calls.complaints:
        taken.reject(complaint)
    return _answer(request, taken, ExportTraceServiceResponse, "rejected_spans")


@router.post("/metrics", url_name="otlp_metrics")
def metrics(request: HttpRequest) -> HttpResponse:
    """Taken and dropped unread: sums without ids can't be charged exactly once."""
    if encoding_of(request.META.get("CONTENT_TYPE", "")) == PROTOBUF:
        return HttpResponse(b"", content_type=PROTOBUF)
    return json_response({})


def _events(records: Iterator[Record], *, own: str, now: dt.datetime) -> Events:
    """Of log records, those that tell of usage."""
    events: Events = []
    for record in records:
        if claude_code.is_request(record):
            events.append(claude_code.event_of(record, own=own, now=now))
        elif gen_ai.usage_of(record):
            events.append(gen_ai.event_of(record, own=own, now=now))
    return events


def _own_member(request: HttpRequest) -> str:
    """Whose personal token sent it, who reports for nobody else; empty for a key."""
    membership_id = own_membership_id(request)
    return "" if membership_id is None else str(membership_id)


def _decoded(
    request: HttpRequest,
    turn: Turn,
    read: Callable[..., Iterator[Record]],
    keep: Callable[[Iterator[Record]], Kept],
) -> Kept:
    """What `keep` makes of the records, which are read one by one. Raises HttpError for
    what can't be read, LargeUnderWay.
    """
    encoding = encoding_of(request.META.get("CONTENT_TYPE", ""))
    if encoding not in (JSON, PROTOBUF):
        raise HttpError(415, f"Send {PROTOBUF} or {JSON}.")
    try:
        body, most = _body(request)
        if len(body) > most:
            turn.take_large()
        return keep(read(body, encoding=encoding))
    except UnpackedTooLong:
        raise HttpError(413, TELEMETRY_TOO_LONG) from None
    except TooMuch as error:
        raise HttpError(413, str(error)) from None
    except Undecodable as error:
        raise HttpError(400, str(error)) from None


def _body(request: HttpRequest) -> tuple[bytes, int]:
    """The body, unpacked, and how long it may be to be read beside others. Raises
    HttpError, Undecodable, UnpackedTooLong.
    """
    # From the stream: `request.body` is limited to what a page may send.
    body = request.read(TELEMETRY_LIMIT + 1)
    packing = request.headers.get("Content-Encoding", "").strip().lower()
    if packing not in ("", "identity", "gzip"):
        raise HttpError(415, "Send the body as it is, or packed with gzip.")
    if packing == "gzip":
        return unpacked(body, most=TELEMETRY_LIMIT), LARGE_PACKED
    if len(body) > TELEMETRY_LIMIT:
        raise UnpackedTooLong
    return body, LARGE


def _answer(
    request: HttpRequest, taken: Taken, message: Any, rejected: str
) -> HttpResponse:
    """In the encoding of the request; nothing is said of a whole success."""
    if encoding_of(request.META.get("CONTENT_TYPE", "")) == PROTOBUF:
        answer = message()
        if taken.rejected:
            setattr(answer.partial_success, rejected, taken.rejected)
            answer.partial_success.error_message = taken.sentence
        return HttpResponse(answer.SerializeToString(), content_type=PROTOBUF)
    if not taken.rejected:
        return json_response({})
    head, *words = rejected.split("_")
    name = head + "".join(word.capitalize() for word in words)
    # 64-bit numbers are texts in protobuf's JSON.
    partial = {name: str(taken.rejected), "errorMessage": taken.sentence}
    return json_response({"partialSuccess": partial})
