"""OTLP exports as clients send them: the same records as JSON and as protobuf."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from typing import Any

from django.test import Client
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

JSON, PROTOBUF = "application/json", "application/x-protobuf"
ANSWERS = {"logs": ExportLogsServiceResponse, "traces": ExportTraceServiceResponse}
RESOURCE = {
    "service.name": "claude-code",
    "service.version": "2.1.332",
    "extra_usage.member": "bob@acme.example",
}
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def api_request(**changes: Any) -> dict[str, Any]:
    """Attributes of Claude Code's record of a request; None takes one away."""
    attributes = {
        "user.id": "d4e1" * 16,
        "session.id": "7c3f1a52-2f8e-4d0b-9d5d-5a3a1d7e9a10",
        "terminal.type": "xterm",
        "event.name": "api_request",
        "event.timestamp": "2026-11-23T19:27:00.123Z",
        "event.sequence": 4,
        "prompt.id": "b5c9",
        "model": "claude-opus-5-5",
        "input_tokens": 100,
        "output_tokens": 40,
        "cache_read_tokens": 1000,
        "cache_creation_tokens": 50,
        "cache_creation_5m_tokens": 20,
        "cache_creation_1h_tokens": 30,
        "cost_usd": 0.00167,
        "cost_usd_micros": 1670,
        "duration_ms": 812,
        "ttft_ms": 300,
        "request_id": "req_011CV1",
        "speed": "normal",
        "query_source": "repl_main_thread",
        **changes,
    }
    return {key: value for key, value in attributes.items() if value is not None}


def log(attributes: dict[str, Any], *, at: dt.datetime, body: str) -> dict[str, Any]:
    """A log record as JSON writes it."""
    moment = str(nanoseconds(at))
    return {
        "timeUnixNano": moment,
        "observedTimeUnixNano": moment,
        "body": {"stringValue": body},
        "attributes": pairs(attributes),
        "droppedAttributesCount": 0,
    }


def request_log(*, at: dt.datetime, **changes: Any) -> dict[str, Any]:
    """Claude Code's log record of a request."""
    return log(api_request(**changes), at=at, body="claude_code.api_request")


def logs(*records: dict[str, Any], resource: dict[str, Any] | None = None) -> Any:
    """An export of log records."""
    scope = {"scope": {"name": "com.anthropic.claude_code"}, "logRecords": [*records]}
    told = {"attributes": pairs(RESOURCE if resource is None else resource)}
    return {"resourceLogs": [{"resource": told, "scopeLogs": [scope]}]}


def span(
    attributes: dict[str, Any],
    *,
    at: dt.datetime,
    id: str = SPAN,
    parent: str = "",
    trace: str = TRACE,
    name: str = "chat",
) -> dict[str, Any]:
    """A span as JSON writes it."""
    return {
        "traceId": trace,
        "spanId": id,
        "parentSpanId": parent,
        "name": name,
        "kind": 3,
        "startTimeUnixNano": str(nanoseconds(at) - 1_000_000_000),
        "endTimeUnixNano": str(nanoseconds(at)),
        "attributes": pairs(attributes),
        "status": {},
    }


def spans(*records: dict[str, Any], resource: dict[str, Any] | None = None) -> Any:
    """An export of spans."""
    scope = {"scope": {"name": "gateway"}, "spans": [*records]}
    told = {"attributes": pairs(RESOURCE if resource is None else resource)}
    return {"resourceSpans": [{"resource": told, "scopeSpans": [scope]}]}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes as JSON writes them."""
    return [{"key": key, "value": value(one)} for key, one in attributes.items()]


def value(one: Any) -> dict[str, Any]:
    """A value as JSON writes it."""
    if isinstance(one, dict | list):
        return {"arrayValue": {"values": [value(item) for item in one]}}
    if isinstance(one, bool):
        return {"boolValue": one}
    if isinstance(one, int):
        return {"intValue": one}
    return {"doubleValue" if isinstance(one, float) else "stringValue": one}


def nanoseconds(at: dt.datetime) -> int:
    """Since 1970."""
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000


def protobuf(export: Any) -> bytes:
    """The same export as protobuf."""
    is_logs = "resourceLogs" in export
    request = ExportLogsServiceRequest() if is_logs else ExportTraceServiceRequest()
    groups, scopes, records = (
        ("resource_logs", "scope_logs", "log_records")
        if is_logs
        else ("resource_spans", "scope_spans", "spans")
    )
    for group in export.get("resourceLogs", export.get("resourceSpans")):
        made = getattr(request, groups).add()
        _fill(made.resource.attributes, group["resource"]["attributes"])
        for scope in group["scopeLogs" if is_logs else "scopeSpans"]:
            inner = getattr(made, scopes).add()
            for one in scope["logRecords" if is_logs else "spans"]:
                _record(getattr(inner, records).add(), one)
    return request.SerializeToString()


def _record(made: Any, one: dict[str, Any]) -> None:
    _fill(made.attributes, one["attributes"])
    for name, field in (
        ("timeUnixNano", "time_unix_nano"),
        ("observedTimeUnixNano", "observed_time_unix_nano"),
        ("endTimeUnixNano", "end_time_unix_nano"),
    ):
        if name in one:
            setattr(made, field, int(one[name]))
    for name, field in (
        ("traceId", "trace_id"),
        ("spanId", "span_id"),
        ("parentSpanId", "parent_span_id"),
    ):
        if one.get(name):
            setattr(made, field, bytes.fromhex(one[name]))
    if "body" in one:
        made.body.string_value = one["body"]["stringValue"]
    if "name" in one:
        made.name = one["name"]


def _fill(made: Any, sent: list[dict[str, Any]]) -> None:
    fields = {
        "stringValue": "string_value",
        "intValue": "int_value",
        "doubleValue": "double_value",
        "boolValue": "bool_value",
    }
    for one in sent:
        pair = made.add(key=one["key"])
        [(kind, told)] = one["value"].items()
        if kind in fields:
            setattr(pair.value, fields[kind], told)
        else:
            pair.value.array_value.values.add(string_value="one of several")


class Exporter:
    """Sends exports as one key, in one encoding, and reads the answers."""

    def __init__(
        self, client: Client, key: str, *, encoding: str = JSON, packed: bool = False
    ) -> None:
        self.client = client
        self.key = key
        self.encoding = encoding
        self.packed = packed

    def send(self, export: Any) -> tuple[int, str]:
        """Send it: how many of its records were rejected, and why."""
        signal = "logs" if "resourceLogs" in export else "traces"
        body = self.body_of(export)
        answer = self.post(signal, gzip.compress(body) if self.packed else body)
        assert answer.status_code == 200, answer.content
        assert answer["content-type"].split(";")[0] == self.encoding
        if self.encoding == PROTOBUF:
            read = ANSWERS[signal].FromString(answer.content).partial_success
            rejected = getattr(
                read, "rejected_log_records" if signal == "logs" else "rejected_spans"
            )
            return rejected, read.error_message
        told = answer.json().get("partialSuccess", {})
        name = "rejectedLogRecords" if signal == "logs" else "rejectedSpans"
        return int(told.get(name, "0")), told.get("errorMessage", "")

    def body_of(self, export: Any) -> bytes:
        """The export in its encoding."""
        return (
            protobuf(export)
            if self.encoding == PROTOBUF
            else json.dumps(export).encode()
        )

    def post(self, signal: str, body: bytes, **headers: str) -> Any:
        """Send bytes."""
        packing = {"Content-Encoding": "gzip"} if self.packed else {}
        return self.client.post(
            f"/otlp/v1/{signal}",
            body,
            content_type=self.encoding,
            headers={
                "Authorization": f"Bearer {self.key}",
                "Content-Type": self.encoding,  # of an empty body too
                **packing,
                **headers,
            },
        )
