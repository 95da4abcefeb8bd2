"""A fake provider: `python -m tests.peers.upstream PORT SECONDS` answers the calls of
Anthropic's and OpenAI's APIs with fixed usage, streamed or not, after so many seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

# One call of claude-sonnet-4-5 costs $0.00141: seven are below a cent, the eighth is not.
MESSAGES_USAGE = {
    "input_tokens": 100,
    "cache_creation_input_tokens": 45,
    "cache_read_input_tokens": 1000,
    "cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 5},
    "output_tokens": 42,
    "service_tier": "standard",
}
MESSAGES_COST = "0.001410000"
WORDS = ["Hello", " there", ", this", " is", " a", " fake", " model", "."] * 5
numbers = itertools.count(1)
calls: dict[str, int] = {}
THINKS = web.AppKey("THINKS", float)


def chat_usage(*, names: tuple[str, str]) -> dict[str, Any]:
    """OpenAI's usage: the prompt includes what was cached. gpt-4o: $0.00397."""
    prompt, completion = names
    return {
        f"{prompt}_tokens": 1200,
        f"{completion}_tokens": 160,
        "total_tokens": 1360,
        f"{prompt}_tokens_details": {"cached_tokens": 504},
    }


CHAT_COST = "0.003970000"


async def messages(request: web.Request) -> web.StreamResponse:
    """POST /v1/messages; `slow` in the prompt streams a word each tenth of a second."""
    body = await read(request, "messages")
    text = json.dumps(body.get("messages"))
    if "overloaded" in text:
        error = {"type": "overloaded_error", "message": "Overloaded"}
        return web.json_response({"type": "error", "error": error}, status=529)
    headers = {"request-id": f"req_{next(numbers):06d}"}
    start = {
        "id": f"msg_{next(numbers):06d}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**MESSAGES_USAGE, "output_tokens": 1},
    }
    if not body.get("stream"):
        content = [{"type": "text", "text": "".join(WORDS)}]
        whole = {"content": content, "stop_reason": "end_turn", "usage": MESSAGES_USAGE}
        return web.json_response({**start, **whole}, headers=headers)
    if "use a tool" in text and "tool_result" not in text:
        return await stream(request, tool_events(start), headers)
    pause = 0.1 if "slow" in text else 0
    return await stream(request, message_events(start, pause), headers)


async def message_events(start: dict[str, Any], pause: float) -> AsyncIterator[Any]:
    """The events of one streamed message."""
    yield {"type": "message_start", "message": start}
    block = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    for word in WORDS:
        delta = {"type": "text_delta", "text": word}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
        await asyncio.sleep(pause)
    yield {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": 42}}
    yield {"type": "message_stop"}


async def tool_events(start: dict[str, Any]) -> AsyncIterator[Any]:
    """The events of a message that wants a tool to be run."""
    yield {"type": "message_start", "message": start}
    block = {"type": "tool_use", "id": "toolu_01", "name": "Bash", "input": {}}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    words = json.dumps({"command": "echo hello", "description": "Say hello"})
    delta = {"type": "input_json_delta", "partial_json": words}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": "tool_use", "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": 42}}
    yield {"type": "message_stop"}


async def chat(request: web.Request) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    body = await read(request, "chat")
    headers = {"x-request-id": f"req_{next(numbers):06d}"}
    base = {"id": f"chatcmpl-{next(numbers)}", "created": 1_790_000_000}
    base["model"] = body["model"]
    usage = chat_usage(names=("prompt", "completion"))
    if body.get("stream"):
        return await stream(request, chat_events(base, usage), headers, end=b"[DONE]")
    message = {"role": "assistant", "content": "".join(WORDS)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    whole = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
    return web.json_response(whole, headers=headers)


async def chat_events(base: dict[str, Any], usage: Any) -> AsyncIterator[Any]:
    """The chunks of one streamed completion, with its usage in the last."""
    base = {**base, "object": "chat.completion.chunk"}
    for word in WORDS:
        delta = {"role": "assistant", "content": word}
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        yield {**base, "choices": [choice]}
    yield {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield {**base, "choices": [], "usage": usage}


async def responses(request: web.Request) -> web.StreamResponse:
    """POST /v1/responses."""
    body = await read(request, "responses")
    headers = {"x-request-id": f"req_{next(numbers):06d}"}
    text = {"type": "output_text", "text": "".join(WORDS), "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "content": [text]}
    whole = {
        "id": f"resp_{next(numbers)}",
        "object": "response",
        "created_at": 1_790_000_000,
        "model": body["model"],
        "status": "completed",
        "output": [{**message, "status": "completed"}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": {
            **chat_usage(names=("input", "output")),
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
    if body.get("stream"):
        return await stream(request, response_events(whole), headers)
    return web.json_response(whole, headers=headers)


async def response_events(whole: dict[str, Any]) -> AsyncIterator[Any]:
    """The events of one streamed response."""
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "sequence_number": 0, "response": begun}
    for number, word in enumerate(WORDS, 1):
        yield {
            "type": "response.output_text.delta",
            "sequence_number": number,
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": word,
        }
    yield {"type": "response.completed", "sequence_number": 99, "response": whole}


async def read(request: web.Request, kind: str) -> dict[str, Any]:
    """The body; the call is counted."""
    calls[kind] = calls.get(kind, 0) + 1
    await asyncio.sleep(request.app[THINKS])
    body: dict[str, Any] = await request.json()
    return body


async def stream(
    request: web.Request,
    events: AsyncIterator[Any],
    headers: dict[str, str],
    *,
    end: bytes = b"",
) -> web.StreamResponse:
    """Server-sent events."""
    answer = web.StreamResponse(
        headers={**headers, "Content-Type": "text/event-stream"}
    )
    await answer.prepare(request)
    async for event in events:
        name = f"event: {event['type']}\n" if "type" in event else ""
        await answer.write(f"{name}data: {json.dumps(event)}\n\n".encode())
    if end:
        await answer.write(b"data: " + end + b"\n\n")
    return answer


async def count_tokens(request: web.Request) -> web.Response:
    """POST /v1/messages/count_tokens."""
    return web.json_response({"input_tokens": 100})


async def counted(request: web.Request) -> web.Response:
    """GET /calls: how many calls came, by kind."""
    return web.json_response(calls)


def main() -> None:
    app = web.Application(client_max_size=64 * 1_048_576)
    app[THINKS] = float(sys.argv[2])
    app.router.add_post("/v1/messages", messages)
    app.router.add_post("/v1/messages/count_tokens", count_tokens)
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_post("/v1/responses", responses)
    app.router.add_get("/calls", counted)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
