"""The real Envoy, set up as docs/gateways/envoy.md says, or the same without asking us."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.doors.server import ROOT, free_port
from tests.peers.stage import VENV, Product, answers
from tests.waiting import wait_until

ENVOY = VENV / "bin" / "envoy"
HTTP = "type.googleapis.com/envoy.extensions.filters.http"
KEYS = {"sk-bob": "bob@acme.example", "sk-nobody": "nobody@acme.example"}


@dataclass(frozen=True)
class Envoy:
    """An Envoy that runs."""

    port: int
    admin: int
    pid: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asks(self) -> dict[str, int]:
        """How its external authorization ended so far, by its own counters."""
        url = f"http://127.0.0.1:{self.admin}/stats?filter=%5C.ext_authz%5C."
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = [line.split(": ") for line in answer.read().decode().splitlines()]
        return {
            name.rpartition(".")[2]: int(value)
            for name, value in lines
            if value.isdecimal()
        }


@contextmanager
def running(
    folder: Path, product: Product, provider: str, *, asks: bool = True
) -> Iterator[Envoy]:
    """Envoy before the provider, with its files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    port, admin = free_port(), free_port()
    said = config(product, provider, port=port, admin=admin, asks=asks)
    file = folder / "envoy.yaml"
    file.write_text(yaml.safe_dump(said))
    log = (folder / "envoy.log").open("wb")
    # Without hot restart, which allows one Envoy of a number on a host.
    command = [ENVOY, "-c", file, "--concurrency", "1", "--disable-hot-restart"]
    process = subprocess.Popen(
        [*command, "--log-level", "warning"], stdout=log, stderr=log
    )
    try:
        ready = f"http://127.0.0.1:{admin}/ready"
        wait_until(lambda: answers(ready), "Envoy", why=lambda: file_end(folder))
        yield Envoy(port, admin, process.pid)
    finally:
        process.terminate()
        process.wait()


def config(
    product: Product, provider: str, *, port: int, admin: int, asks: bool
) -> dict[str, Any]:
    """Envoy's whole configuration."""
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{HTTP}.router.v3.Router"},
    }
    asking = [ext_authz_of_the_page(product)] if asks else []
    route = {"match": {"prefix": "/"}, "route": {"cluster": "provider"}}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]
        },
        "http_filters": [api_keys(), *asking, router],
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


def ext_authz_of_the_page(product: Product) -> dict[str, Any]:
    """The filter as the page has it, with this product's address and key."""
    page = (ROOT / "docs" / "gateways" / "envoy.md").read_text()
    block = page.split("```yaml\n")[1].split("```")[0]
    filters: list[dict[str, Any]] = yaml.safe_load(block)["http_filters"]
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


def file_end(folder: Path) -> str:
    """The end of what it said."""
    return (folder / "envoy.log").read_text()[-2_000:]
