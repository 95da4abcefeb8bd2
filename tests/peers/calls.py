"""Calls through LiteLLM: by the real SDKs, and many at once by aiohttp."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import aiohttp

from tests.doors.server import ROOT
from tests.peers.stage import BOB, VENV, Proxy

SONNET = "claude-sonnet-4-5"


@lru_cache(maxsize=1)
def sdks() -> subprocess.Popen[str]:
    """The process that calls by the SDKs; it ends with its input."""
    command = [VENV / "bin" / "python", ROOT / "tests" / "peers" / "sdk.py"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def by_sdk(
    proxy: Proxy,
    kind: str,
    *,
    model: str = SONNET,
    key: str = BOB,
    stream: bool = False,
) -> dict[str, Any]:
    """What the SDK of this kind of call shows."""
    process = sdks()
    assert process.stdin and process.stdout
    how = "stream" if stream else "whole"
    call = [proxy.address, f"sk-{key}", kind, model, how]
    process.stdin.write(json.dumps(call) + "\n")
    process.stdin.flush()
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


@dataclass(frozen=True)
class Outcome:
    """Status, seconds and text of one call; status 0 is a connection that broke."""

    status: int
    seconds: float
    text: str = ""


class Gateway(Protocol):
    """Whatever takes calls of the Messages API."""

    @property
    def address(self) -> str: ...


def question(text: str = "Hello") -> dict[str, Any]:
    """The body of a call of the Messages API."""
    said = [{"role": "user", "content": text}]
    return {"model": SONNET, "max_tokens": 50, "messages": said}


async def message(
    session: aiohttp.ClientSession,
    proxy: Gateway,
    *,
    key: str = BOB,
    text: str = "Hello",
) -> Outcome:
    """One call of the Messages API."""
    body = question(text)
    headers = {"x-api-key": f"sk-{key}", "anthropic-version": "2023-06-01"}
    url = f"{proxy.address}/v1/messages"
    began = time.perf_counter()
    try:
        async with session.post(url, json=body, headers=headers) as answer:
            read = await answer.text()
            return Outcome(answer.status, time.perf_counter() - began, read)
    except (aiohttp.ClientError, OSError):
        return Outcome(0, time.perf_counter() - began)


async def many(
    proxies: Sequence[Gateway],
    *,
    count: int,
    at_once: int,
    key: str = BOB,
    done: list[Outcome] | None = None,
) -> list[Outcome]:
    """`count` calls spread over the proxies, so many at once at each; each is put into
    `done` as it ends.
    """
    done = [] if done is None else done
    lanes = [asyncio.Semaphore(at_once) for _ in proxies]
    timeout = aiohttp.ClientTimeout(total=120)

    async def one(session: aiohttp.ClientSession, number: int) -> None:
        which = number % len(proxies)
        async with lanes[which]:
            done.append(await message(session, proxies[which], key=key))

    async with aiohttp.ClientSession(timeout=timeout) as session:
        await asyncio.gather(*(one(session, n) for n in range(count)))
    return done


def passed(outcomes: list[Outcome]) -> int:
    """How many were answered by the provider."""
    return sum(outcome.status == 200 for outcome in outcomes)
