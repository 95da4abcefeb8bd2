"""Calls to Extra usage over kept connections."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

import aiohttp

from extra_usage_client.options import Options

MOST_ANSWER = 8 * 1_048_576  # bytes
CONNECTIONS = 100
KEEP_ALIVE = 55.0  # seconds; less than what servers and proxies keep
LONGEST_WAIT = 60.0  # seconds that a Retry-After may ask for


class NoAnswer(Exception):
    """The server could not be asked: it is away, or too slow, or speaks no JSON."""


class Reply(NamedTuple):
    """Status, what the body says (None for no JSON), and seconds to wait, if named."""

    status: int
    body: Any
    retry_after: float | None

    @property
    def detail(self) -> str:
        """What a problem document says, at most 300 characters."""
        said = self.body.get("detail") if isinstance(self.body, dict) else None
        return said[:300] if isinstance(said, str) else f"status {self.status}"


class Transport:
    """One session for one event loop."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE
            ),
            headers={
                "Authorization": f"Bearer {options.key}",
                "Content-Type": "application/json",
                "User-Agent": "extra-usage-client/0.1",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def post(self, path: str, body: bytes, *, timeout: float) -> Reply:
        """One call, sent once more where a kept connection turned out to be closed.

        Both calls that there are may be repeated: one only reads, the other knows its
        events by their ids. Raises NoAnswer.
        """
        try:
            async with asyncio.timeout(timeout):
                try:
                    return await self._post(path, body)
                except aiohttp.ClientConnectorError:
                    raise
                except (aiohttp.ServerDisconnectedError, OSError):
                    return await self._post(path, body)
        except TimeoutError:
            raise NoAnswer(f"no answer within {timeout:g} seconds") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswer(type(error).__name__) from None

    async def _post(self, path: str, body: bytes) -> Reply:
        url = self._options.url(path)
        async with self._session.post(url, data=body, allow_redirects=False) as answer:
            read = await answer.content.read(MOST_ANSWER + 1)
            while not answer.content.at_eof() and len(read) <= MOST_ANSWER:
                read += await answer.content.read(MOST_ANSWER)
            if len(read) > MOST_ANSWER:
                raise NoAnswer("an answer that is too long")
            return Reply(answer.status, _json(read), _wait(answer.headers))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def _json(read: bytes) -> Any:
    try:
        return json.loads(read)
    except (ValueError, RecursionError):
        return None


def _wait(headers: Any) -> float | None:
    """Seconds of Retry-After; None for none, and for a date, which nobody here sends."""
    text = str(headers.get("Retry-After", "")).strip()
    return min(float(text), LONGEST_WAIT) if text.isdecimal() else None
