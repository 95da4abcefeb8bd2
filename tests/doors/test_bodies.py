"""Bodies at the real server: in chunks or with a length, whole or too long, and the
answer is read by whoever sent them.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from tests.doors.server import found, served
from tests.factories.people import PASSWORD

MIB = 1_048_576
NOBODYS = f"xu_{'n' * 43}"  # looks like a key and is none


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[int, str]]:
    """A port, and a key."""
    folder = tmp_path_factory.mktemp("server")
    key = found(folder)
    with served(folder) as port:
        yield port, key


def pieces(body: bytes) -> Iterator[bytes]:
    """A generator, which http.client sends in chunks."""
    for start in range(0, len(body), 50_000):
        yield body[start : start + 50_000]


def send(
    server: tuple[int, str],
    path: str,
    body: bytes,
    *,
    chunked: bool,
    method: str = "POST",
    key: str | None = None,
) -> tuple[int, str, dict]:
    """Status, content type and JSON of the answer to one call by http.client."""
    port, secret = server
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {
        "Authorization": f"Bearer {key or secret}",
        "Content-Type": "application/json",
    }
    connection.request(
        method,
        f"/api/v1{path}",
        pieces(body) if chunked else body,
        headers,
        encode_chunked=chunked,
    )
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers["Content-Type"], json.loads(text)


def check_of(padding: int = 0) -> bytes:
    """A check of Bob, as long as wished."""
    check = {"member": "bob@acme.example", "surface": "claude"}
    return (json.dumps(check) + " " * padding).encode()


def usage_of(id: str) -> bytes:
    """An event of Bob's."""
    event = {
        "id": id,
        "member": "bob@acme.example",
        "surface": "claude",
        "model": "claude-sonnet-5",
        "occurred_at": timezone.now().isoformat(),
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    return json.dumps({"events": [event]}).encode()


@pytest.mark.parametrize("chunked", [True, False])
def test_row_6_a_body_in_chunks_is_read_as_one_with_a_length_is(server, chunked):
    status, _type, answer = send(server, "/authorize", check_of(), chunked=chunked)
    assert (status, answer["allowed"]) == (200, True)
    body = usage_of(f"e-{chunked}")
    status, _type, answer = send(server, "/usage", body, chunked=chunked)
    assert (status, answer["recorded"]) == (200, 1)


@pytest.mark.parametrize("chunked", [True, False])
def test_row_6_a_body_of_one_mib_is_read_and_one_byte_more_is_not(server, chunked):
    most = MIB - len(check_of())
    status, _type, _answer = send(server, "/authorize", check_of(most), chunked=chunked)
    assert status == 200
    status, kind, answer = send(
        server, "/authorize", check_of(most + 1), chunked=chunked
    )
    assert (status, kind, answer["status"]) == (413, "application/problem+json", 413)
    assert "1 MiB" in answer["detail"]


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("size", [5 * MIB, 40 * MIB])
def test_row_6_whoever_sends_too_much_reads_the_answer(server, chunked, size):
    for _ in range(3):
        status, kind, answer = send(
            server, "/usage", b" " * size, chunked=chunked, key=NOBODYS
        )
        assert (status, kind) == (413, "application/problem+json")
        assert "1 MiB" in answer["detail"]


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize(
    "size, key",
    [(10, NOBODYS), (MIB, NOBODYS), (10, "no"), (5 * MIB, "no"), (40 * MIB, "no")],
)
def test_a_wrong_key_is_told_whatever_it_sends(server, chunked, size, key):
    body = b'{"amount_usd": null}'.ljust(size)
    status, _type, answer = send(
        server,
        "/caps/organization",
        body,
        chunked=chunked,
        method="PUT",
        key=key,
    )
    assert (status, answer["status"]) == (401, 401)


def test_row_6_a_raw_socket_gets_every_byte_of_the_answer(server):
    port, key = server
    body = b" " * (20 * MIB)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        head = (
            "POST /api/v1/usage HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        raw.sendall(head.encode())
        for piece in pieces(body):
            raw.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        raw.sendall(b"0\r\n\r\n")
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert answer.status == 413
        assert len(answer.read()) == int(answer.headers["Content-Length"])
        # And the connection serves the next call.
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        following = http.client.HTTPResponse(raw)
        following.begin()
        assert following.status == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("header", ["Transfer-Encoding: chunked", "Expect:", "X: y"])
def test_row_6_curl_reads_the_answer(server, header, tmp_path):
    port, key = server
    body = tmp_path / "body.json"
    body.write_bytes(b" " * (8 * MIB))
    words = ["curl", "-sS", "-o", "-", "-w", " %{http_code}", "--data-binary"]
    done = subprocess.run(
        [
            *words,
            f"@{body}",
            *("-H", f"Authorization: Bearer {key}", "-H", header),
            f"http://127.0.0.1:{port}/api/v1/usage",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("413")
    assert "1 MiB" in done.stdout


def test_row_6_a_form_in_chunks_is_read(server):
    port, _key = server
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/accounts/login/")
    page = connection.getresponse()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
    assert token
    form = {
        "csrfmiddlewaretoken": token[1],
        "login": "bob@acme.example",
        "password": PASSWORD,
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": page.headers["Set-Cookie"].partition(";")[0],
        "Origin": f"http://127.0.0.1:{port}",
    }
    body = urlencode(form).encode()
    connection.request(
        "POST", "/accounts/login/", pieces(body), headers, encode_chunked=True
    )
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (302, "/")


def test_rows_16_and_32_paths_arrive_as_they_were_encoded(server):
    def get(path: str) -> tuple[int, str, dict]:
        return send(server, path, b"", chunked=False, method="GET")

    status, _type, member = get("/members/bob%40acme.example")
    assert (status, member["email"]) == (200, "bob@acme.example")
    assert "a/b@acme.example" in get("/members/a%2Fb%40acme.example")[2]["detail"]
    send(server, "/usage", usage_of("line\nbreak"), chunked=False)
    status, _type, receipt = get("/events/line%0Abreak")
    assert (status, receipt["id"]) == (200, "line\nbreak")


def test_N9_malformed_chunks_are_the_clients_mistake(server):
    port, key = server
    head = (
        "POST /api/v1/usage HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"
        f"Authorization: Bearer {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(head.encode() + b"ZZ\r\nnothing\r\n")
        answer = http.client.HTTPResponse(line)
        answer.begin()
        assert (answer.status, answer.headers["Connection"]) == (400, "close")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(answer.read())["status"] == 400
