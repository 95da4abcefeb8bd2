"""Calls by the real SDKs, run by the peers' Python.

Reads lines of JSON: `[address, key, kind, model, "stream" or "whole"]`. Prints one for
each: what was answered, or the error as the SDK shows it, and how many tries went over
the wire.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import anthropic
import openai

tries: list[str] = []


def counted(client: Any) -> Any:
    """A client whose tries are counted."""
    send = client._client.send

    def counting(request: Any, **named: Any) -> Any:
        tries.append(str(request.url))
        return send(request, **named)

    client._client.send = counting
    return client


def message(address: str, key: str, model: str, *, stream: bool) -> str:
    """The Messages API."""
    client = counted(anthropic.Anthropic(base_url=address, api_key=key))
    said: Any = {
        "model": model,
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    if not stream:
        return str(client.messages.create(**said).content[0].text)
    with client.messages.stream(**said) as opened:
        return opened.get_final_text()


def chat(address: str, key: str, model: str, *, stream: bool) -> str:
    """Chat completions."""
    client = counted(openai.OpenAI(base_url=f"{address}/v1", api_key=key))
    said: Any = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    if not stream:
        return str(client.chat.completions.create(**said).choices[0].message.content)
    chunks = client.chat.completions.create(stream=True, **said)
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def response(address: str, key: str, model: str, *, stream: bool) -> str:
    """Responses."""
    client = counted(openai.OpenAI(base_url=f"{address}/v1", api_key=key))
    said: Any = {"model": model, "input": "Hello"}
    if not stream:
        return str(client.responses.create(**said).output_text)
    events = client.responses.create(stream=True, **said)
    return "".join(e.delta for e in events if e.type == "response.output_text.delta")


KINDS = {"messages": message, "chat": chat, "responses": response}


def told(address: str, key: str, kind: str, model: str, stream: str) -> dict[str, Any]:
    """What came of one call."""
    tries.clear()
    began = time.perf_counter()
    what: dict[str, Any] = {}
    try:
        what["text"] = KINDS[kind](address, key, model, stream=stream == "stream")
    except (anthropic.APIError, openai.APIError) as error:
        what |= {"error": type(error).__name__, "message": str(error)}
        what["status"] = getattr(error, "status_code", 0)
    return {**what, "tries": len(tries), "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(told(*json.loads(line))), flush=True)
