"""OTLP: bodies that would be far more once they are decoded, and who pays for many."""

from __future__ import annotations

import gzip
import threading
import tracemalloc

import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from billing.metering.doors import otlp as door
from billing.metering.intake import otlp, wire
from billing.metering.intake.packed import TooMuch
from billing.models import UsageEvent
from tests.billing.metering.telemetry import (
    JSON,
    PROTOBUF,
    Exporter,
    logs,
    protobuf,
    request_log,
    span,
    spans,
)
from tests.factories.people import make_api_key

MOST = wire.MOST_RECORDS
MESSAGES = {"logs": ExportLogsServiceRequest, "traces": ExportTraceServiceRequest}
READ = {"logs": otlp.logs_in, "traces": otlp.spans_in}
SIGNALS = pytest.mark.parametrize("signal", ["logs", "traces"])


def part(number: int, content: bytes) -> bytes:
    """A message inside of another, as protobuf writes it."""
    length, size = bytearray(), len(content)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


def export(records: bytes) -> bytes:
    """An export of these records: their numbers are the same for both signals."""
    return part(1, part(2, records))


def empty_records(count: int) -> bytes:
    """Two bytes each."""
    return export(part(2, b"") * count)


def empty_json(signal: str, count: int) -> bytes:
    """As JSON, three bytes each."""
    groups, scopes, records = (
        ("resourceLogs", "scopeLogs", "logRecords")
        if signal == "logs"
        else ("resourceSpans", "scopeSpans", "spans")
    )
    inner = ",".join(["{}"] * count)
    return f'{{"{groups}":[{{"{scopes}":[{{"{records}":[{inner}]}}]}}]}}'.encode()


def shapes(signal: str):
    """What the walk is told of a signal."""
    told = otlp._LOGS if signal == "logs" else otlp._SPANS
    return told.shape, told.record


def check(body: bytes, signal: str = "logs") -> None:
    """Walk a body."""
    wire.check_wire(body, *shapes(signal))


@pytest.fixture
def key(acme, now, time_machine):
    """A key of Acme that may meter."""
    time_machine.move_to(now, tick=False)
    return make_api_key(acme, scopes="meter", now=now)


@pytest.fixture
def exporter(client, key):
    """In JSON."""
    return Exporter(client, key)


@SIGNALS
@pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
def test_as_many_records_as_are_read_and_one_more(client, key, encoding, signal):
    exporter = Exporter(client, key, encoding=encoding, packed=True)
    for count, status in ((MOST, 200), (MOST + 1, 413)):
        is_json = encoding == JSON
        body = empty_json(signal, count) if is_json else empty_records(count)
        answer = exporter.post(signal, gzip.compress(body))
        assert answer.status_code == status
    assert "Send at most 20,000 records at once." in answer.content.decode()
    assert answer["content-type"].startswith(encoding)


@SIGNALS
def test_what_may_hold_records_is_counted_too(signal):
    for count in (2 * MOST, 2 * MOST + 1):
        body = part(1, b"") * count
        try:
            assert (list(READ[signal](body, encoding=PROTOBUF)), count) == (
                [],
                2 * MOST,
            )
        except TooMuch:
            assert count > 2 * MOST
    body = empty_json("logs", 2 * MOST + 1).replace(b"logRecords", b"x", 1)
    assert list(otlp.logs_in(body, encoding=JSON)) == []
    scopes = b'{"resourceLogs":[{"scopeLogs":[' + b"{}," * (2 * MOST) + b"{}]}]}"
    with pytest.raises(TooMuch):
        list(otlp.logs_in(scopes, encoding=JSON))


@SIGNALS
def test_a_protobuf_bomb_is_refused_before_it_is_parsed(monkeypatch, signal):
    monkeypatch.setattr(otlp, "_pairs", None)
    body = empty_records(16_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooMuch):
            next(READ[signal](body, encoding=PROTOBUF))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


ARRAY = part(5, part(5, part(1, b"") * 500))  # a body that is a list of values
LINKS = part(13, b"") * 500


@pytest.mark.parametrize(
    "body, signal",
    [
        (part(1, b"") * 500, "logs"),
        (part(1, part(1, part(1, b"") * 500)), "logs"),
        (part(1, part(2, b"") * 500), "traces"),
        (export(part(2, part(6, b"") * 500)), "logs"),
        (export(part(2, ARRAY)), "logs"),
        (export(part(2, LINKS)), "traces"),
        (b"\x78\x00" * 500, "logs"),
        (b"\x7b" + b"\x08\x00" * 500 + b"\x7c", "logs"),
    ],
    ids=["groups", "resource", "scopes", "pairs", "array", "links", "new", "group"],
)
def test_fields_are_counted_wherever_they_are(monkeypatch, body, signal):
    MESSAGES[signal].FromString(body)  # is no other mistake
    monkeypatch.setattr(wire, "MOST_FIELDS", 510)
    check(body, signal)
    monkeypatch.setattr(wire, "MOST_FIELDS", 499)
    with pytest.raises(TooMuch, match="fields"):
        check(body, signal)


@pytest.mark.parametrize("count", [3, 4])
def test_each_field_counts_once(monkeypatch, count):
    monkeypatch.setattr(wire, "MOST_FIELDS", 3)
    body = export(b"\x78\x00" * (count - 2))
    if count == 3:
        check(body)
    else:
        with pytest.raises(TooMuch):
            check(body)


def test_what_is_newer_is_passed_over_and_records_behind_it_count(monkeypatch):
    newer = (
        b"\x78\x96\x01"  # a number
        b"\x79"
        + bytes(8)
        + b"\x7d"
        + bytes(4)
        + part(15, b"\xff" * 300)
        # groups in groups, that hold what would be records outside of them
        + b"\x7b"
        + empty_records(50)
        + b"\x73"
        + part(1, b"\xff")
        + b"\x74\x7c"
        b"\x8a\x80\x00\x00"  # field 1, written longer than it need be
    )
    body = newer + empty_records(2)
    assert len(list(otlp.logs_in(body, encoding=PROTOBUF))) == 2
    monkeypatch.setattr(wire, "MOST_RECORDS", 2)
    check(body)
    monkeypatch.setattr(wire, "MOST_RECORDS", 1)
    with pytest.raises(TooMuch, match="records"):
        check(body)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",
        b"\x0a\x05abc",
        b"\x80" * 20,
        b"\x0a" + b"\xff" * 10 + b"\x01",
        b"\x08" + b"\x80" * 11,
        b"\x7c",
        b"\x7b",
        b"\x7b" * 1_000,
        b"\x7e",
        b"\x79\x00",
        export(b"\x7b") + b"\x7c",
    ],
    ids=lambda body: body[:6].hex(),
)
def test_what_is_malformed_is_left_to_the_parser(exporter, body):
    with pytest.raises(DecodeError):
        ExportLogsServiceRequest.FromString(body)
    check(body)
    exporter.encoding = PROTOBUF
    answer = exporter.post("logs", body)
    assert answer.status_code == 400
    assert b"The body is not protobuf of this signal." in answer.content


def test_a_malformed_end_saves_no_bomb():
    with pytest.raises(TooMuch):
        check(empty_records(MOST + 1) + b"\x0a\x05abc")


def test_what_clients_send_is_below_the_bounds(now, monkeypatch):
    """20,000 of Claude Code's records, each with its 21 attributes, are taken."""
    batch = 700
    body = protobuf(logs(*[request_log(at=now)] * batch))
    monkeypatch.setattr(wire, "MOST_FIELDS", wire.MOST_FIELDS * batch // MOST)
    check(body)


@pytest.mark.parametrize(
    "name, body, count",
    [
        ("MOST_PARTS", b'{"x": [{}, [], {}, []]}', 6),
        ("MOST_QUOTES", b'{"x": ["a", "b"]}', 6),
        ("MOST_COMMAS", b'{"x": [1, 2, 3, 4]}', 3),
    ],
)
def test_json_is_counted_before_it_is_read(exporter, monkeypatch, name, body, count):
    monkeypatch.setattr(wire, name, count)
    assert exporter.post("logs", body).status_code == 200
    monkeypatch.setattr(wire, name, count - 1)
    monkeypatch.setattr(otlp, "loads", None)
    answer = exporter.post("logs", body)
    assert answer.status_code == 413
    assert "Send fewer records at once." in answer.json()["message"]


@SIGNALS
def test_of_records_without_usage_hardly_anything_is_kept(now, signal):
    """A thousand spans that tell nothing cost their ids, records of a log nothing."""
    told = {f"k{n}": "x" * 400 for n in range(10)}
    made = otlp.Record(frozenset(), {}, {})

    def records():
        for number in range(1_000):
            attributes = {name: value + str(number) for name, value in told.items()}
            yield otlp.Record(
                made.names, attributes, {}, 0, "a" * 32, f"{number + 1:016x}"
            )

    keep = (
        door.gen_ai.calls_in
        if signal == "traces"
        else lambda them: door._events(them, own="", now=now)
    )
    tracemalloc.start()
    try:
        keep(records())
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "size, packed, waits",
    [
        (door.LARGE, False, False),
        (door.LARGE + 1, False, True),
        (door.LARGE_PACKED, True, False),
        (door.LARGE_PACKED + 1, True, True),
    ],
)
def test_large_bodies_are_decoded_one_at_a_time(
    client, key, monkeypatch, size, packed, waits
):
    class Lock:
        taken = 0

        def acquire(self, *, blocking):
            Lock.taken += 1
            return True

        def release(self):
            pass

    monkeypatch.setattr(door, "_large", Lock())
    body = b"{}".ljust(size)
    exporter = Exporter(client, key, packed=packed)
    answer = exporter.post("logs", gzip.compress(body) if packed else body)
    assert (answer.status_code, Lock.taken) == (200, int(waits))


def test_records_are_read_while_the_lock_is_held(client, key, monkeypatch):
    held = []
    lock = threading.Lock()
    monkeypatch.setattr(door, "_large", lock)
    monkeypatch.setattr(
        door,
        "_events",
        lambda records, **_: held.extend([*records, lock.locked()]) or [],
    )
    body = empty_json("logs", 1).ljust(door.LARGE + 1)
    assert Exporter(client, key).post("logs", body).status_code == 200
    assert held[-1] is True


@pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
def test_each_further_batch_counts_as_a_call(
    client, key, bob, now, settings, monkeypatch, encoding
):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "hot": "3/minute"}
    monkeypatch.setattr("billing.metering.doors.taking.MAX_EVENTS", 2)
    exporter = Exporter(client, key, encoding=encoding)
    batch = logs(*(request_log(at=now, request_id=f"r{n}") for n in range(8)))
    answer = exporter.post("logs", exporter.body_of(batch))
    assert answer.status_code == 429
    assert 1 <= int(answer["retry-after"]) <= 60
    assert UsageEvent.objects.count() == 6  # the rest comes with the same body again
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "hot": ""}
    assert exporter.send(batch) == (0, "")
    assert UsageEvent.objects.count() == 8


def test_spans_above_need_no_usage_of_their_own(exporter, bob, now):
    """A span between two calls is known by its ids alone."""
    call = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "claude-sonnet-5",
        "gen_ai.usage.output_tokens": 5,
    }
    outer, between, inner = (f"{n:016x}" for n in (1, 2, 3))
    assert exporter.send(
        spans(
            span(call, at=now, id=inner, parent=between),
            span({"x": 1}, at=now, id=between, parent=outer),
            span(call, at=now, id=outer),
        )
    ) == (0, "")
    assert UsageEvent.objects.get().event_id.endswith(outer)
