"""The product, a fake provider and LiteLLM's proxy, each in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.doors.server import ROOT, environment, free_port, started
from tests.migrated import migrated
from tests.waiting import wait_until

VENV = ROOT / ".venv-peers"
LITELLM = VENV / "bin" / "litellm"
CLAUDE = VENV / "node_modules" / ".bin" / "claude"
MASTER_KEY = "sk-master-of-the-test"
BOB = "bob@acme.example"
LIMITS = ("RATE_LIMIT_METERING", "RATE_LIMIT_CALLS", "RATE_LIMIT_REPORTS")

# Acme pays by usage, so that a call costs what it costs from the first one on.
FOUND = """
import django; django.setup()
from django.utils import timezone
from accounts.models import Organization
from tests.factories.people import make_api_key, make_cast
from tests.factories.usage import enable_extra_usage
acme = make_cast(now=timezone.now())
Organization.objects.filter(pk=acme.pk).update(plan="enterprise_usage")
enable_extra_usage(acme)
print(make_api_key(acme, now=timezone.now()))
"""

CONFIG = """
model_list:
  - model_name: claude-*
    litellm_params:
      {{model: anthropic/claude-*, api_base: "{upstream}", api_key: sk-none}}
  - model_name: gpt-*
    litellm_params:
      {{model: openai/gpt-*, api_base: "{upstream}/v1", api_key: sk-none}}
litellm_settings:
  callbacks: {callbacks}
  num_retries: 0
general_settings:
  master_key: {master_key}
  custom_auth: tests_auth.user_of_key
  custom_auth_run_common_checks: {own_budgets}
"""

# LiteLLM keeps keys in a database of its own, which is not here: the key names the user.
AUTH = """
from litellm.proxy._types import UserAPIKeyAuth
async def user_of_key(request, api_key):
    name = api_key.removeprefix("sk-")
    if name.startswith("metadata-"):
        member = name.removeprefix("metadata-")
        return UserAPIKeyAuth(api_key=api_key, metadata={"member": member})
    if name.startswith("budget-"):
        dollars = float(name.removeprefix("budget-"))
        return UserAPIKeyAuth(api_key=api_key, max_budget=dollars, user_id="someone")
    if name.startswith("id-"):
        return UserAPIKeyAuth(api_key=api_key, user_id=name.removeprefix("id-"))
    email = name if "@" in name else None
    return UserAPIKeyAuth(api_key=api_key, user_email=email, user_id="someone")
"""


@dataclass
class Product:
    """The product's server and a key that may do everything at Acme."""

    port: int
    key: str
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What one call of the API answers."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
        }
        url = f"{self.address}/api/v1{path}"
        request = urllib.request.Request(url, sent, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def usage(self) -> list[dict[str, Any]]:
        """Usage of all days by member, surface and model."""
        query = "start=2026-01-01&end=2036-01-01&group_by=member,surface,model"
        rows: list[dict[str, Any]] = self.call("GET", f"/usage?{query}")["results"]
        return rows

    def events(self) -> int:
        """How many events are recorded."""
        return sum(row["events"] for row in self.usage())

    def spent(self, member: str = BOB) -> str:
        """What extra usage of the member cost this month."""
        spent: str = self.call("GET", f"/members/{member}")["mtd_spend_usd"]
        return spent

    def cap(self, amount: str | None, member: str = BOB) -> None:
        """Set the member's cap."""
        self.call("PUT", f"/caps/members/{member}", {"amount_usd": amount})


def acme(environ: dict[str, str]) -> str:
    """The key of Acme, which is made with its people in the database of `environ`."""
    command = [sys.executable, "-c", FOUND]
    return subprocess.check_output(command, cwd=ROOT, env=environ, text=True).strip()


@contextmanager
def product(folder: Path) -> Iterator[Product]:
    """The product on SQLite in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    environ = environment(folder)
    migrated(folder / "db.sqlite3", environ)
    key = acme(environ)
    unlimited = dict.fromkeys(LIMITS, "off")
    with started(folder, **unlimited) as (process, port):
        yield Product(port, key, process)


def cap_above_spent(server: Product, member: str = BOB) -> None:
    """A cap of a cent above what the member spent, which is brought to a whole cent."""
    whole, fraction = server.spent(member).split(".")
    cents = int(whole) * 100 + int(fraction[:2])
    if rest := -int(fraction) % 10_000_000:
        cents += 1
        server.call("POST", "/usage", {"events": [_event_of(rest // 1_000, member)]})
    server.cap(f"{(cents + 1) // 100}.{(cents + 1) % 100:02d}", member)


def _event_of(tokens: int, member: str) -> dict[str, Any]:
    """An event whose tokens cost a thousand nano-dollars each."""
    return {
        "id": f"fill-{time.time_ns()}",
        "member": member,
        "surface": "claude",
        "model": "claude-haiku-4-5",
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "usage": {"input_tokens": tokens},
    }


@contextmanager
def upstream(*, thinks: float = 0.02) -> Iterator[str]:
    """The address of the fake provider, which thinks for so many seconds."""
    port = free_port()
    command = [sys.executable, "-m", "tests.peers.upstream", str(port), str(thinks)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/calls"), "The fake provider")
        yield address
    finally:
        process.terminate()
        process.wait()


@dataclass
class Proxy:
    """LiteLLM's proxy in a folder of its own."""

    folder: Path
    product: Product
    upstream: str
    callbacks: str = "extra_usage_litellm.hook"
    own_budgets: bool = False
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = CONFIG.format(
            upstream=self.upstream,
            master_key=MASTER_KEY,
            callbacks=self.callbacks,
            own_budgets=self.own_budgets,
        )
        (self.folder / "config.yaml").write_text(config)
        (self.folder / "tests_auth.py").write_text(AUTH)
        self.port = free_port()
        gateways = ROOT / "gateways"
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": f"{gateways / 'client'}:{gateways / 'litellm'}",
            "PYTHONDONTWRITEBYTECODE": "",
            "EXTRA_USAGE_URL": self.product.address,
            "EXTRA_USAGE_KEY": self.product.key,
            "EXTRA_USAGE_SPOOL": str(self.folder.parent / "spool"),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
        }
        command = [LITELLM, "--config", "config.yaml", "--host", "127.0.0.1"]
        log = (self.folder / "litellm.log").open("ab")
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            cwd=self.folder,
            env=environ,
            stdout=log,
            stderr=log,
        )
        wait_until(self._is_ready, "LiteLLM", why=self.log)

    def log(self) -> str:
        """The end of what it said."""
        return (self.folder / "litellm.log").read_text(errors="replace")[-4_000:]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it by this signal and wait for its end."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=60)
            self.process = None

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        return answers(f"{self.address}/health/liveliness")


@contextmanager
def proxy(
    folder: Path, product: Product, upstream: str, **settings: Any
) -> Iterator[Proxy]:
    """A proxy that runs."""
    one = Proxy(folder, product, upstream, **settings)
    try:
        one.start()
        yield one
    finally:
        one.stop(signal.SIGKILL)


def answers(url: str) -> bool:
    """Whether something answers there with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_for(done: Callable[[], object], what: str, proxy: Proxy) -> None:
    """Until `done()`, for a minute at most."""
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end, f"{what} did not come. {proxy.log()}"
        time.sleep(0.1)


def settle(read: Any, *, still: float = 1.5) -> Any:
    """What `read` says once it says the same for so many seconds."""
    last, since = read(), time.monotonic()
    while time.monotonic() < since + still:
        time.sleep(0.1)
        now = read()
        if now != last:
            last, since = now, time.monotonic()
    return last
