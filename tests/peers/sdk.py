"""Calls by the real SDKs, run by the peers' Python: `sdk.py ADDRESS KEY KIND [MODEL]`.

Prints one line of JSON: what was answered, or the error as the SDK shows it, and how many
tries went over the wire.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import anthropic
import httpx
import openai

tries: list[str] = []


def counted() -> Any:
    """A transport that counts tries."""
    return httpx.Client(
        event_hooks={"request": [lambda request: tries.append(str(request.url))]}
    )


def message(address: str, key: str, model: str, *, stream: bool) -> str:
    """The Messages API."""
    client = anthropic.Anthropic(base_url=address, api_key=key, http_client=counted())
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
    client = openai.OpenAI(base_url=f"{address}/v1", api_key=key, http_client=counted())
    said: Any = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    if not stream:
        return str(client.chat.completions.create(**said).choices[0].message.content)
    chunks = client.chat.completions.create(stream=True, **said)
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def response(address: str, key: str, model: str, *, stream: bool) -> str:
    """Responses."""
    client = openai.OpenAI(base_url=f"{address}/v1", api_key=key, http_client=counted())
    said: Any = {"model": model, "input": "Hello"}
    if not stream:
        return str(client.responses.create(**said).output_text)
    events = client.responses.create(stream=True, **said)
    return "".join(e.delta for e in events if e.type == "response.output_text.delta")


KINDS = {"messages": message, "chat": chat, "responses": response}


def main() -> None:
    address, key, kind, model, stream = sys.argv[1:]
    began = time.perf_counter()
    told: dict[str, Any] = {}
    try:
        told["text"] = KINDS[kind](address, key, model, stream=stream == "stream")
    except (anthropic.APIStatusError, openai.APIStatusError) as error:
        told |= {"error": type(error).__name__, "status": error.status_code}
        told |= {"message": str(error)}
    told |= {"tries": len(tries), "seconds": time.perf_counter() - began}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
