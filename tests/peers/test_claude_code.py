"""The real Claude Code against the doors: its telemetry is recorded at its own cost, its
hook blocks with our sentence, its status line shows spent of cap.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.doors.server import ROOT, environment
from tests.peers.laptop import Laptop, relay
from tests.peers.stage import BOB, CLAUDE, Product, product, settle
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(
        not CLAUDE.exists(), reason="npm can't install Claude Code here"
    ),
]
AWAY = 60.0  # seconds
TOKEN = """
import django; django.setup()
from django.utils import timezone
from accounts.models import Membership
from tests.factories.people import make_token
bob = Membership.objects.get(user__email="bob@acme.example")
print(make_token(bob, now=timezone.now()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the product keeps its database."""
    return tmp_path_factory.mktemp("product")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Product]:
    """The product."""
    with product(folder) as one:
        yield one


@pytest.fixture(scope="module")
def laptop(tmp_path_factory, folder: Path, server: Product, provider: str) -> Laptop:
    """Bob's, with his personal token."""
    token = subprocess.check_output(
        [sys.executable, "-c", TOKEN], cwd=ROOT, env=environment(folder), text=True
    )
    home = tmp_path_factory.mktemp("laptop")
    return Laptop(home, server.address, provider, token.strip())


@pytest.fixture(autouse=True)
def _unlimited(server):
    server.cap(None)
    yield
    server.cap(None)


def calls(provider: str) -> int:
    """How many messages the provider was asked for."""
    with urllib.request.urlopen(f"{provider}/calls", timeout=5) as answer:
        return json.load(answer).get("messages", 0)


@pytest.mark.parametrize("encoding", ["http/protobuf", "http/json"])
def test_three_prompts_are_recorded_once_at_its_own_cost(server, laptop, encoding):
    """One of them with a tool; each batch is sent twice, the first one thrice."""
    before, events = Decimal(server.spent()), server.events()
    cost = Decimal(0)
    for number, prompt in enumerate(["hello", "again", "please use a tool"]):
        with relay(server.address, away=1 if number == 0 else 0) as between:
            told = laptop.ask(prompt, telemetry=between.address, encoding=encoding)
            cost += Decimal(str(told["total_cost_usd"]))
            settle(server.events)
            assert {status for _path, status in between.exports} == {200}
    assert server.events() - events == 4
    assert Decimal(server.spent()) - before == cost > 0
    [row] = [row for row in server.usage() if row["surface"] == "claude_code"]
    assert row["member"] == BOB


def test_telemetry_outlasts_a_minute_without_the_product(server, laptop):
    """A session that stays open, with the time-out of our page: without it Claude Code
    drops a batch after ten seconds.
    """
    before, events = Decimal(server.spent()), server.events()
    with (
        relay(server.address) as between,
        laptop.session(between.address) as session,
    ):
        session.ask("first")
        between.is_away = True
        session.ask("second")
        time.sleep(AWAY / 2)
        session.ask("third")
        time.sleep(AWAY / 2)
        between.is_away = False
        session.ask("fourth")
        wait_until(lambda: server.events() >= events + 4, "Four events")
    print(
        f"\naway for {AWAY:.0f} s: {between.refused} exports refused, 4 of 4 recorded"
    )
    assert between.refused >= 2
    assert server.events() - events == 4
    cost = Decimal(str(session.cost_usd)).quantize(Decimal("1e-9"))
    assert Decimal(server.spent()) - before == cost > 0


def test_its_hook_blocks_a_prompt_with_our_sentence(server, laptop, provider):
    server.cap("0.00")
    asked = calls(provider)
    told = laptop.ask("hello")
    assert "blocked by hook" in told["result"]
    assert "Your usage has reached your cap" in told["result"]
    assert calls(provider) == asked


def test_a_prompt_of_two_mib_is_blocked_like_any_other(server, laptop, provider):
    server.cap("0.00")
    headers = {
        "Authorization": f"Bearer {laptop.token}",
        "Content-Type": "application/json",
    }
    body = {"hook_event_name": "UserPromptSubmit", "prompt": "x" * 2_000_000}
    url = f"{server.address}/doors/claude-code/hook"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["decision"] == "block"


def test_its_status_line_shows_spent_of_cap(server, laptop):
    server.cap("50.00")
    assert laptop.status_line().strip().endswith("of $50.00")
    server.cap("0.00")
    assert laptop.status_line() == "At your cap. Ask an owner.\n"
