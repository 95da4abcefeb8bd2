"""X7: what the client reads from a connection, however it comes in pieces."""

from __future__ import annotations

import asyncio

import pytest
from extra_usage_client import http1
from extra_usage_client.http1 import BadAnswer, Connection, Reading, Response
from hypothesis import given
from hypothesis import strategies as st

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nRetry-After:  7 \r\n\r\nhello"
CHUNKS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nhel\r\n02;x=y\r\nlo\r\n0\r\n\r\n"
)
TRAILED = CHUNKS[:-2] + b"Trailer: of no use\r\nAnother: one\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
REFUSED = b"HTTP/1.1 402\r\ncontent-length: 0\r\n\r\n"


def read(sent: bytes, *cuts: int) -> tuple[Response | None, Reading]:
    """What comes of an answer that is cut there."""
    reading, answer = Reading(), None
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        if piece := sent[start:end]:
            answer = reading.feed(piece)
    return answer, reading


@pytest.mark.parametrize(
    ("sent", "status", "body"),
    [
        (LENGTH, 200, b"hello"),
        (CHUNKS, 200, b"hello"),
        (TRAILED, 200, b"hello"),
        (CONTINUED, 200, b"hello"),
        (EMPTY, 204, b""),
        (REFUSED, 402, b""),
    ],
)
@given(data=st.data())
def test_an_answer_is_the_same_wherever_it_is_cut(sent, status, body, data):
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=6).map(sorted))
    answer, reading = read(sent, *cuts)
    assert answer is not None
    assert (answer.status, answer.body) == (status, body)
    assert reading.is_kept


@pytest.mark.parametrize("sent", [LENGTH, CHUNKS, TRAILED, CONTINUED])
def test_no_answer_is_whole_before_its_last_byte(sent):
    for end in range(1, len(sent)):
        answer, reading = read(sent[:end])
        assert answer is None
        with pytest.raises(BadAnswer, match="cut short"):
            reading.ended()


def test_headers_are_known_by_their_names_in_lower_case():
    answer, _reading = read(LENGTH)
    assert answer is not None
    assert answer.headers == {b"content-length": b"5", b"retry-after": b"7"}


def test_without_a_length_an_answer_ends_with_the_connection():
    answer, reading = read(b"HTTP/1.1 502 Bad Gateway\r\n\r\nBad", 30)
    assert answer is None
    assert reading.ended().body == b"Bad"
    assert not reading.is_kept


@pytest.mark.parametrize(
    ("head", "is_kept"),
    [
        (b"HTTP/1.1 200 OK", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close", False),
        (b"HTTP/1.0 200 OK", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive", True),
    ],
)
def test_a_connection_is_kept_as_both_sides_say(head, is_kept):
    answer, reading = read(head + b"\r\nContent-Length: 0\r\n\r\n")
    assert answer is not None
    assert reading.is_kept is is_kept


def test_what_follows_an_answer_that_nobody_asked_for_ends_the_connection():
    answer, reading = read(LENGTH + b"HTTP/1.1 200 OK\r\n")
    assert answer is not None
    assert answer.body == b"hello"
    assert not reading.is_kept


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 20\r\n\r\n",
        b"HTTP/1.1 099 No\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        CHUNKS.replace(b"3\r\nhel", b"x\r\nhel"),
        CHUNKS.replace(b"3\r\nhel", b"-3\r\nhel"),
        CHUNKS.replace(b"3\r\nhel", b"\r\nhel"),
        CHUNKS.replace(b"3\r\nhel", b"2\r\nhel"),
        CHUNKS.replace(b"3\r\nhel", b"fffffffff\r\nhel"),
    ],
)
def test_what_is_no_answer_is_refused(sent):
    with pytest.raises(BadAnswer):
        read(sent)


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * http1.MOST_HEAD,
        CHUNKS[:50] + b"1" * 2_000,
        TRAILED[:-4] + b"x" * http1.MOST_HEAD,
    ],
)
def test_nothing_without_an_end_is_gathered_for_ever(sent):
    with pytest.raises(BadAnswer):
        read(sent)


@pytest.mark.parametrize("framing", [b"", b"\r\nTransfer-Encoding: chunked"])
def test_an_answer_that_is_too_long_is_refused(monkeypatch, framing):
    monkeypatch.setattr(http1, "MOST_BODY", 100)
    piece = b"32\r\n" + b"x" * 50 + b"\r\n" if framing else b"x" * 50
    reading = Reading()
    reading.feed(b"HTTP/1.1 200 OK" + framing + b"\r\n\r\n")
    assert reading.feed(piece) is None
    assert reading.feed(piece) is None
    with pytest.raises(BadAnswer, match="too long"):
        reading.feed(piece)


class Strange:
    """A transport that is none of asyncio's classes, as uvloop's are."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, sent: bytes) -> None:
        """Keep it."""
        self.written.append(sent)


def test_a_connection_asks_by_whatever_transport_the_loop_has():
    async def run() -> None:
        connection, strange = Connection(), Strange()
        connection.connection_made(strange)  # type: ignore[arg-type]
        asking = asyncio.create_task(connection.request(b"POST"))
        await asyncio.sleep(0)
        connection.data_received(LENGTH)
        assert (await asking).body == b"hello"
        assert strange.written == [b"POST"]

    asyncio.run(run())
