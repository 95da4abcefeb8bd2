"""The end of LiteLLM's proxy: what it still has to log is logged and reported first.

LiteLLM tells callbacks nothing of its end, and the signal that ends it comes a second time
right after its shutdown. So its shutdown is made to wait for ours.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

log = logging.getLogger("extra_usage_litellm")
SERVER = "litellm.proxy.proxy_server"
SHUTDOWN = "proxy_shutdown_event"
LOGGING_SECONDS = 5.0


def before_shutdown(end: Callable[[], Awaitable[Any]]) -> bool:
    """Have LiteLLM await `end` when it shuts down; False where it can't be told so."""
    server = sys.modules.get(SERVER)
    shutdown = getattr(server, SHUTDOWN, None)
    if server is None or not asyncio.iscoroutinefunction(shutdown):
        return False

    async def both(*words: Any, **named: Any) -> Any:
        try:
            await _log_the_rest()
            await end()
        except Exception as error:
            log.error("Not all was reported at the end: %s", type(error).__name__)
        return await shutdown(*words, **named)

    setattr(server, SHUTDOWN, both)
    return True


async def _log_the_rest() -> None:
    """LiteLLM logs behind its answers: wait until it has."""
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    for _ in range(64):  # logs that are about to be queued
        await asyncio.sleep(0)
    await asyncio.wait_for(GLOBAL_LOGGING_WORKER.flush(), LOGGING_SECONDS)
