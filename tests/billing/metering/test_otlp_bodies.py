"""OTLP: bodies that can't be read, and what exporters are told of them."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib

import pytest

from billing.metering.api import usage
from billing.metering.intake.packed import UnpackedTooLong, unpacked
from billing.models import UsageEvent
from config.kit.otlp import error_body
from tests.billing.metering.telemetry import (
    JSON,
    PROTOBUF,
    Exporter,
    logs,
    protobuf,
    request_log,
)
from tests.factories.people import make_api_key

MIB = 1_048_576


@pytest.fixture
def key(acme, now, time_machine):
    """A key of Acme that may meter."""
    time_machine.move_to(now, tick=False)
    return make_api_key(acme, scopes="meter", now=now)


@pytest.fixture
def post(client, key):
    """Send bytes; the status and what the answer says, whatever its encoding."""

    def send(body, encoding=JSON, signal="logs", **headers):
        answer = Exporter(client, key, encoding=encoding).post(signal, body, **headers)
        if answer.status_code < 400:
            return answer.status_code, answer.content
        code, sentence = status_of(answer)
        assert code
        return answer.status_code, sentence

    return send


def status_of(answer):
    """Code and message of an error (google.rpc.Status)."""
    assert int(answer["content-length"]) == len(answer.content)
    if answer["content-type"].startswith(JSON):
        told = answer.json()
        assert told.keys() == {"code", "message"}
        return told["code"], told["message"]
    assert answer["content-type"] == PROTOBUF
    code, rest = answer.content[1], answer.content[3:]
    assert answer.content[0] == 0x08 and answer.content[2] == 0x12
    size = rest[0] if rest[0] < 0x80 else rest[0] & 0x7F | rest[1] << 7
    text = rest[1 if rest[0] < 0x80 else 2 :]
    assert len(text) == size
    return code, text.decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"\xff\xfe\x00",
        b"[]",
        b'"x"',
        b'{"resourceLogs": 1}',
        b'{"resourceLogs": [1]}',
        b'{"resourceLogs": [{"resource": 1}]}',
        b'{"resourceLogs": [{"scopeLogs": {"logRecords": []}}]}',
        b'{"resourceLogs": [], "resourceLogs": []}',
        b"[" * 100_000,
    ],
    ids=lambda body: body[:20],
)
def test_what_is_no_json_export_is_400_which_exporters_drop(post, body):
    status, sentence = post(body)
    assert status == 400
    assert sentence


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"resourceLogs": null}',
        b'{"resourceLogs": [{}, null]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{}]}]}], "later": 1}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": 7,'
        b' "body": [], "timeUnixNano": {}, "traceId": 5, "eventName": {}}]}]}]}',
    ],
)
def test_what_is_odd_or_newer_is_taken_and_dropped(post, body):
    assert post(body) == (200, b"{}")


@pytest.mark.parametrize("body", [b"\xff" * 40, b"\x0a\x05abc", b"{}", b"\x00"])
def test_what_is_no_protobuf_is_400_in_protobuf(post, body):
    status, sentence = post(body, PROTOBUF)
    assert (status, sentence) == (400, "The body is not protobuf of this signal.")


def test_an_empty_protobuf_is_an_export_of_nothing(post):
    assert post(b"", PROTOBUF) == (200, b"")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", ""]
)
def test_other_encodings_are_415(post, kind):
    assert post(b"{}", kind)[0] == 415


def test_a_parameter_of_the_encoding_is_no_other_encoding(post):
    assert post(b"{}", "application/json; charset=utf-8")[0] == 200


PACKED = gzip.compress(b'{"resourceLogs": []}', mtime=0)


@pytest.mark.parametrize(
    "body, status",
    [
        (PACKED, 200),
        (PACKED[:-1], 400),
        (PACKED + b"x", 400),
        (PACKED + PACKED, 400),
        (b"not gzip", 400),
        (b"", 400),
        (zlib.compress(b"{}"), 400),
    ],
    ids=lambda one: repr(one)[:20],
)
def test_gzip_is_unpacked_within_bounds(post, body, status):
    assert post(body, **{"Content-Encoding": "gzip"})[0] == status


def test_a_body_that_unpacks_to_more_than_is_read_is_413(post):
    packed = gzip.compress(b" " * (32 * MIB + 1), 1)
    status, sentence = post(packed, **{"Content-Encoding": "gzip"})
    assert (status, "32 MiB" in sentence) == (413, True)


def test_of_a_bomb_no_more_is_unpacked_than_is_read():
    bomb = gzip.compress(b"\0" * (64 * MIB), 1)
    tracemalloc.start()
    try:
        with pytest.raises(UnpackedTooLong):
            unpacked(bomb, most=1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packing, status", [("identity", 200), ("br", 415)])
def test_other_packings(post, packing, status):
    assert post(b"{}", **{"Content-Encoding": packing})[0] == status


def test_32_mib_are_read_and_one_byte_more_is_not(post, bob, now):
    body = json.dumps(logs(request_log(at=now))).encode()
    assert post(body.ljust(32 * MIB)) == (200, b"{}")
    assert UsageEvent.objects.count() == 1
    status, sentence = post(body.ljust(32 * MIB + 1))
    assert (status, "32 MiB" in sentence) == (413, True)


def test_a_prompt_of_many_mib_is_left_where_it_came(post, bob, now):
    body = protobuf(logs(request_log(at=now, prompt="x" * 20 * MIB)))
    assert post(body, PROTOBUF) == (200, b"")
    assert UsageEvent.objects.get().labels == {}


@pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
@pytest.mark.parametrize("signal", ["logs", "traces", "metrics"])
def test_a_wrong_key_is_401_whatever_the_body(client, post, encoding, signal):
    exporter = Exporter(client, "xu_nonsense", encoding=encoding)
    answer = exporter.post(signal, b"garbage")
    assert answer.status_code == 401
    assert answer["www-authenticate"].startswith("Bearer")
    assert status_of(answer)[0] == 16


@pytest.mark.parametrize("encoding, answer", [(JSON, b"{}"), (PROTOBUF, b"")])
def test_metrics_are_taken_and_dropped_unread(post, encoding, answer):
    for body in (b"", b"garbage", b"x" * 100):
        assert post(body, encoding, signal="metrics") == (200, answer)
    assert not UsageEvent.objects.exists()


def test_another_method_is_405(client, key):
    answer = client.get("/otlp/v1/logs", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 405
    assert answer["allow"] == "POST"


@pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
def test_an_outage_is_503_so_that_exporters_send_again(
    client, key, bob, now, encoding, monkeypatch
):
    from django.db import OperationalError

    def is_away(*args, **kwargs):
        raise OperationalError("server closed the connection")

    exporter = Exporter(client, key, encoding=encoding)
    client.raise_request_exception = False
    batch = logs(request_log(at=now))
    with monkeypatch.context() as patch:
        patch.setattr(usage, "record_usage_by_key", is_away)
        answer = exporter.post("logs", exporter.body_of(batch))
    assert answer.status_code == 503
    assert int(answer["retry-after"]) >= 1
    assert status_of(answer)[0] == 14
    assert exporter.send(batch) == (0, "")
    assert UsageEvent.objects.count() == 1


def test_numbers_of_protobuf_are_seven_bits_a_byte():
    body, kind = error_body(400, "é" * 100, encoding=PROTOBUF)
    assert (body[:5], kind) == (b"\x08\x03\x12\xc8\x01", PROTOBUF)
