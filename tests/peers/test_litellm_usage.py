"""X7a: LiteLLM's three routes, streamed and not, cost what the provider counted; a refusal
ends after one try with our sentence.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from decimal import Decimal

import aiohttp
import pytest

from tests.peers.calls import SONNET, by_sdk, message
from tests.peers.stage import BOB, CLAUDE, Product, Proxy, answers, settle, wait_for
from tests.peers.upstream import CHAT_COST, MESSAGES_COST

pytestmark = pytest.mark.peers
ADA, ALICE = "ada@acme.example", "alice@acme.example"
ROUTES = [
    ("messages", SONNET, MESSAGES_COST),
    ("chat", SONNET, MESSAGES_COST),
    ("responses", SONNET, MESSAGES_COST),
    ("chat", "gpt-4o", CHAT_COST),
    ("responses", "gpt-4o", CHAT_COST),
    ("messages", "gpt-4o", CHAT_COST),
]


def grown(proxy: Proxy, before: tuple[str, int], member: str) -> tuple[Decimal, int]:
    """What came since `before`, once nothing comes any more."""

    def read() -> tuple[str, int]:
        return proxy.product.spent(member), proxy.product.events()

    wait_for(lambda: read() != before, "The event", proxy)
    after = settle(read)
    return Decimal(after[0]) - Decimal(before[0]), after[1] - before[1]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("kind, model, cost", ROUTES)
def test_each_route_costs_what_was_used_to_the_nano_dollar(
    litellm: Proxy, server: Product, kind: str, model: str, cost: str, stream: bool
):
    before = server.spent(ADA), server.events()
    told = by_sdk(litellm, kind, model=model, key=ADA, stream=stream)
    assert told["text"].startswith("Hello there"), told
    assert grown(litellm, before, ADA) == (Decimal(cost), 1), litellm.log()


@pytest.mark.parametrize("key", [f"metadata-{ALICE}", f"id-{ALICE}", ALICE])
def test_a_key_names_the_member_by_address_metadata_or_user_id(litellm, server, key):
    before = server.spent(ALICE), server.events()
    assert "text" in by_sdk(litellm, "chat", key=key)
    assert grown(litellm, before, ALICE) == (Decimal(MESSAGES_COST), 1)


def test_a_key_of_nobody_is_told_so(litellm):
    told = by_sdk(litellm, "messages", key="id-")
    assert (told["status"], told["tries"]) == (402, 1)
    assert "belongs to nobody that Extra usage knows" in told["message"]


@pytest.fixture
def blocked(server: Product):
    """Bob can spend nothing, and the sentence that he is told."""
    server.cap("0.00")
    question = {"member": BOB, "surface": "claude"}
    yield server.call("POST", "/authorize", question)["message"]
    server.cap(None)


@pytest.mark.parametrize("kind", ["messages", "chat", "responses"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_sdk_shows_our_sentence_after_one_try(litellm, blocked, kind, stream):
    told = by_sdk(litellm, kind, stream=stream)
    assert (told["status"], told["tries"]) == (402, 1), told
    assert blocked in told["message"]
    print(f"\n{kind}: {told['error']} in {told['seconds']:.2f} s: {told['message']}")


def test_the_body_of_a_refusal_is_what_each_api_says(litellm, blocked):
    async def run() -> str:
        async with aiohttp.ClientSession() as session:
            return (await message(session, litellm)).text

    body = json.loads(asyncio.run(run()))
    assert body["type"] == "error"
    assert body["error"]["type"] == "billing_error"
    assert body["error"]["message"] == blocked


def test_the_body_of_a_refusal_of_chat_is_what_openai_says(litellm, blocked):
    async def run() -> str:
        url = f"{litellm.address}/v1/chat/completions"
        said = {"model": SONNET, "messages": [{"role": "user", "content": "Hello"}]}
        headers = {"Authorization": f"Bearer sk-{BOB}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=said, headers=headers) as answer,
        ):
            assert answer.status == 402
            assert answer.headers["x-should-retry"] == "false"
            return await answer.text()

    error = json.loads(asyncio.run(run()))["error"]
    assert error["message"] == blocked
    assert error["type"] == "insufficient_quota"


@pytest.mark.parametrize("kind", ["messages", "chat"])
def test_a_refusal_is_no_error_in_its_log(litellm, blocked, kind):
    """A cap that works wakes nobody up at night."""
    log = litellm.folder / "litellm.log"
    before = log.stat().st_size
    assert by_sdk(litellm, kind)["status"] == 402
    time.sleep(1)
    said = log.read_bytes()[before:].decode()
    assert "ERROR" not in said
    assert "Traceback" not in said


def claude(proxy: Proxy, folder, prompt: str) -> subprocess.CompletedProcess[str]:
    """`claude -p` with LiteLLM as its provider, in a home of its own."""
    if not CLAUDE.exists():
        pytest.skip("needs Claude Code from npm")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ANTHROPIC_BASE_URL": proxy.address,
        "ANTHROPIC_AUTH_TOKEN": f"sk-{BOB}",
        "ANTHROPIC_MODEL": SONNET,
        "ANTHROPIC_SMALL_FAST_MODEL": SONNET,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    command = [str(CLAUDE), "-p", prompt]
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120
    )


def test_claude_code_shows_our_sentence(litellm, blocked, tmp_path):
    done = claude(litellm, tmp_path, "Say hello")
    assert "402" in done.stdout
    assert blocked in done.stdout
    print(f"\nclaude -p: {done.stdout}")


def test_claude_code_is_recorded_as_its_surface(litellm, server, tmp_path):
    before = server.spent(BOB), server.events()
    done = claude(litellm, tmp_path, "Say hello")
    assert "Hello there" in done.stdout, done.stdout + done.stderr
    cost, events = grown(litellm, before, BOB)
    assert cost == events * Decimal(MESSAGES_COST)
    surfaces = {row["surface"] for row in server.usage() if row["member"] == BOB}
    assert "claude_code" in surfaces


def test_a_stream_that_its_client_left_costs_its_input_at_least(litellm, server):
    async def run() -> None:
        body = {
            "model": SONNET,
            "max_tokens": 50,
            "stream": True,
            "messages": [{"role": "user", "content": "slow"}],
        }
        headers = {"x-api-key": f"sk-{ADA}"}
        url = f"{litellm.address}/v1/messages"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=body, headers=headers) as answer,
        ):
            assert answer.status == 200
            for _ in range(12):
                await answer.content.readline()

    before = server.spent(ADA), server.events()
    asyncio.run(run())
    cost, events = grown(litellm, before, ADA)
    input_cost = Decimal("0.00078")
    assert events == 1
    assert input_cost <= cost <= Decimal(MESSAGES_COST)
    print(f"\nA stream left after a few words: ${cost}")


def test_what_the_provider_refused_costs_nothing(litellm, server):
    async def run() -> int:
        async with aiohttp.ClientSession() as session:
            return (await message(session, litellm, key=ADA, text="overloaded")).status

    before = server.events()
    assert asyncio.run(run()) >= 400
    assert settle(server.events) == before


def test_a_call_id_that_the_client_chose_is_not_the_events_id(litellm, server):
    async def run() -> None:
        headers = {"x-api-key": f"sk-{ADA}", "x-litellm-call-id": "always-the-same"}
        body = {
            "model": SONNET,
            "max_tokens": 5,
            "metadata": {"extra_usage_call": "mine"},
            "messages": [{"role": "user", "content": "Hello"}],
        }
        async with aiohttp.ClientSession(headers=headers) as session:
            for _ in range(3):
                url = f"{litellm.address}/v1/messages"
                async with session.post(url, json=body) as answer:
                    assert answer.status == 200, await answer.text()

    before = server.spent(ADA), server.events()
    asyncio.run(run())
    wait_for(lambda: server.events() >= before[1] + 3, "Three events", litellm)
    assert grown(litellm, before, ADA) == (3 * Decimal(MESSAGES_COST), 3)


def test_nothing_was_set_aside(litellm):
    assert answers(f"{litellm.address}/health/liveliness")
    assert not (litellm.folder.parent / "spool" / "aside").exists()
