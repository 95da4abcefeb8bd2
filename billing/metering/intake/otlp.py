"""Log records and spans of an OTLP export, JSON or protobuf, as plain records.

Of their attributes only numbers and short texts are taken: prompts and answers, which
some clients put into them, are left where they came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from billing.metering.intake.packed import TooMuch, Undecodable
from billing.metering.intake.wire import (
    MOST_RECORDS,
    TOO_MANY_RECORDS,
    Shape,
    check_json,
    check_wire,
    shape_of,
)
from config.kit.otlp import PROTOBUF
from config.kit.strict_json import InvalidJson, loads

Attributes = dict[str, Any]
MOST_TEXT = 500
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Record:
    """A log record or a span: its names, its attributes and those of what sent it, when
    it was (nanoseconds since 1970; 0: it does not say), and its ids as hex.
    """

    names: frozenset[str]
    attributes: Attributes
    resource: Attributes
    at_ns: int = 0
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""

    def first(self, *keys: str) -> Any:
        """The first of these attributes there is, its own before the resource's."""
        for key in keys:
            for attributes in (self.attributes, self.resource):
                if key in attributes:
                    return attributes[key]
        return None

    def text(self, *keys: str) -> str:
        """The same as text; empty where there is none."""
        value = self.first(*keys)
        return value.strip() if isinstance(value, str) else ""


class _Signal(NamedTuple):
    """How one kind of records is nested and read."""

    groups: str
    scopes: str
    records: str
    message: Any
    of_json: Callable[[Any, Attributes], Record]
    of_protobuf: Callable[[Any, Attributes], Record]
    shape: Shape
    record: Shape


def logs_in(body: bytes, *, encoding: str) -> Iterator[Record]:
    """The log records of an export, one by one. Raises Undecodable, TooMuch."""
    return _records(body, encoding, _LOGS)


def spans_in(body: bytes, *, encoding: str) -> Iterator[Record]:
    """The spans of an export, one by one. Raises Undecodable, TooMuch."""
    return _records(body, encoding, _SPANS)


def _records(body: bytes, encoding: str, signal: _Signal) -> Iterator[Record]:
    read = _of_protobuf if encoding == PROTOBUF else _of_json
    holders = records = 0
    for record in read(body, signal):
        if record is None:
            holders += 1
        else:
            records += 1
        if records > MOST_RECORDS or holders > 2 * MOST_RECORDS:
            raise TooMuch(TOO_MANY_RECORDS)
        if record is not None:
            yield record


def _of_protobuf(body: bytes, signal: _Signal) -> Iterator[Record | None]:
    """The records, and None for each group and scope, which may hold none."""
    check_wire(body, signal.shape, signal.record)
    request = signal.message()
    try:
        request.ParseFromString(body)
    except DecodeError:
        raise Undecodable("The body is not protobuf of this signal.") from None
    for group in getattr(request, _snake(signal.groups)):
        yield None
        resource = _pairs(group.resource.attributes)
        for scope in getattr(group, _snake(signal.scopes)):
            yield None
            for one in getattr(scope, _snake(signal.records)):
                yield signal.of_protobuf(one, resource)


def _of_json(body: bytes, signal: _Signal) -> Iterator[Record | None]:
    """The same of JSON."""
    check_json(body)
    try:
        # Text that no database stores is told at the event that has it.
        sent = loads(body, judge=lambda value: value)
    except InvalidJson as error:
        raise Undecodable(str(error)) from None
    for group in _objects(sent, signal.groups):
        yield None
        resource = _attributes(_object(group.get("resource")).get("attributes"))
        for scope in _objects(group, signal.scopes):
            yield None
            for one in _objects(scope, signal.records):
                yield signal.of_json(one, resource)


def _log_of_json(sent: Any, resource: Attributes) -> Record:
    attributes = _attributes(sent.get("attributes"))
    return Record(
        _names(sent.get("eventName"), _value(sent.get("body")), attributes),
        attributes,
        resource,
        _nanoseconds(sent.get("timeUnixNano"))
        or _nanoseconds(sent.get("observedTimeUnixNano")),
        _hex(sent.get("traceId")),
        _hex(sent.get("spanId")),
    )


def _log_of_protobuf(sent: Any, resource: Attributes) -> Record:
    attributes = _pairs(sent.attributes)
    return Record(
        _names(sent.event_name, _any_value(sent.body), attributes),
        attributes,
        resource,
        sent.time_unix_nano or sent.observed_time_unix_nano,
        _hex(sent.trace_id.hex()),
        _hex(sent.span_id.hex()),
    )


def _span_of_json(sent: Any, resource: Attributes) -> Record:
    return Record(
        _names(sent.get("name"), None, {}),
        _attributes(sent.get("attributes")),
        resource,
        _nanoseconds(sent.get("endTimeUnixNano")),
        _hex(sent.get("traceId")),
        _hex(sent.get("spanId")),
        _hex(sent.get("parentSpanId")),
    )


def _span_of_protobuf(sent: Any, resource: Attributes) -> Record:
    return Record(
        _names(sent.name, None, {}),
        _pairs(sent.attributes),
        resource,
        sent.end_time_unix_nano,
        _hex(sent.trace_id.hex()),
        _hex(sent.span_id.hex()),
        _hex(sent.parent_span_id.hex()),
    )


_shapes: dict[str, Shape] = {}
_LOGS = _Signal(
    "resourceLogs",
    "scopeLogs",
    "logRecords",
    ExportLogsServiceRequest,
    _log_of_json,
    _log_of_protobuf,
    shape_of(ExportLogsServiceRequest.DESCRIPTOR, _shapes),
    _shapes["opentelemetry.proto.logs.v1.LogRecord"],
)
_SPANS = _Signal(
    "resourceSpans",
    "scopeSpans",
    "spans",
    ExportTraceServiceRequest,
    _span_of_json,
    _span_of_protobuf,
    shape_of(ExportTraceServiceRequest.DESCRIPTOR, _shapes),
    _shapes["opentelemetry.proto.trace.v1.Span"],
)


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def _object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Undecodable("The body is not an OTLP export: an object is missing.")
    return value


def _objects(parent: Any, key: str) -> Iterator[dict[str, Any]]:
    values = _object(parent).get(key)
    if values is None:
        return
    if not isinstance(values, list):
        raise Undecodable(f"The body is not an OTLP export: “{key}” is no list.")
    for value in values:
        yield _object(value)


def _attributes(sent: Any) -> Attributes:
    """Attributes as JSON writes them, those that are taken."""
    taken = {}
    for one in sent if isinstance(sent, list) else ():
        if isinstance(one, dict) and isinstance(one.get("key"), str):
            value = _value(one.get("value"))
            if value is not None:
                taken[one["key"]] = value
    return taken


def _value(sent: Any) -> Any:
    """A value as JSON writes it; 64-bit numbers may be texts."""
    if not isinstance(sent, dict):
        return None
    if "intValue" in sent:
        return _whole(sent["intValue"])
    return _kept(
        sent.get("stringValue", sent.get("doubleValue", sent.get("boolValue")))
    )


def _pairs(sent: Any) -> Attributes:
    """Attributes as protobuf has them, those that are taken."""
    taken = {}
    for one in sent:
        value = _any_value(one.value)
        if value is not None:
            taken[one.key] = value
    return taken


def _any_value(sent: Any) -> Any:
    kind = sent.WhichOneof("value")
    if kind in ("string_value", "int_value", "double_value", "bool_value"):
        return _kept(getattr(sent, kind))
    return None


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MOST_TEXT else None
    return value if isinstance(value, bool | int | float) else None


def _whole(value: Any) -> int | None:
    """A whole number of 64 bits, however it is written."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value, re.ASCII):
        return int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and abs(value) < 2**63 else None


def _nanoseconds(value: Any) -> int:
    return _whole(value) or 0


def _hex(value: Any) -> str:
    """An id; empty for none, which some write as zeros."""
    text = value.lower() if isinstance(value, str) else ""
    return text if _HEX.fullmatch(text) and text.strip("0") else ""


def _names(name: Any, body: Any, attributes: Attributes) -> frozenset[str]:
    told = (name, body, attributes.get("event.name"))
    return frozenset(one for one in told if isinstance(one, str) and one)
