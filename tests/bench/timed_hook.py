"""The hook for LiteLLM, each of whose asks is timed: `asks.txt`, where LiteLLM runs, gets a
line for each, of its seconds and of who answered (`Answer.said`).

`tests/bench/ways.py` copies this file beside LiteLLM's config.yaml.
"""

from __future__ import annotations

import os
import time
from typing import Any

from extra_usage_litellm import hook

file = os.open("asks.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
ask = hook.extra_usage.ask


async def timed(*words: Any, **named: Any) -> Any:
    """The same ask."""
    began = time.perf_counter()
    call = await ask(*words, **named)
    took = time.perf_counter() - began
    os.write(file, f"{took:.6f} {call.answer.said}\n".encode())
    return call


hook.extra_usage.ask = timed
