"""LiteLLM's proxy asks before each call and reports after it.

LiteLLM calls `async_pre_call_hook` before it chooses a deployment, and one of the others
at the end: success also of a stream, whole or broken off by the client.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from extra_usage_client import (
    HEADERS,
    PAYMENT_REQUIRED,
    Answer,
    Call,
    ExtraUsage,
    anthropic_refusal,
    openai_refusal,
    options_from_environment,
)
from extra_usage_client.memory import Bounded
from litellm.integrations.custom_logger import CustomLogger

from extra_usage_litellm.ending import before_shutdown
from extra_usage_litellm.quiet import Refused, log_refusals_as_info
from extra_usage_litellm.requests import (
    logged_member_of,
    member_of,
    speaks_anthropic,
    surface_of,
)
from extra_usage_litellm.usages import (
    model_of,
    plain,
    provider_of,
    request_id_of,
    usage_of,
)

log = logging.getLogger("extra_usage_litellm")
MARK = "extra_usage_call"  # under which our id of a call travels through LiteLLM
PLACES = ("litellm_metadata", "metadata")  # of LiteLLM's metadata, by route
NAMELESS = (
    "This key belongs to nobody that Extra usage knows. Give it a user with an e-mail"
    " address, or metadata with “member”."
)


class ExtraUsageHook(CustomLogger):  # type: ignore[misc]
    """Refuses with 402 what Extra usage refuses; reports what calls used."""

    def __init__(self, extra_usage: ExtraUsage, *, surface: str) -> None:
        super().__init__()
        log_refusals_as_info()
        self.extra_usage, self._surface = extra_usage, surface
        self._calls: Bounded[str, Call] = Bounded(100_000)
        self._starting = asyncio.Lock()
        with suppress(RuntimeError):  # before the loop runs: the first call starts it
            self._start = asyncio.get_running_loop().create_task(self._started())

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Ask. Raises Refused, which is a 402."""
        await self._started()
        is_anthropic = speaks_anthropic(data, call_type)
        member = member_of(user_api_key_dict)
        if member is None:
            raise refusal(NAMELESS, is_anthropic=is_anthropic)
        call = await self.extra_usage.ask(
            member,
            surface=surface_of(data, self._surface),
            model=str(data.get("model") or ""),
        )
        if not call.allowed:
            raise refusal(call.answer.sentence, is_anthropic=is_anthropic)
        # Not LiteLLM's own call id, which a client can choose by a header.
        mark = f"litellm-{secrets.token_hex(16)}"
        _write_mark(data, mark)
        self._calls[mark] = call
        return data

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Report what a call used."""
        await self._started()
        mark, call = self._call_of(kwargs)
        usage = usage_of(kwargs, response_obj)
        if usage is None or kwargs.get("cache_hit") is True:
            if usage is None:
                log.warning("LiteLLM logged a call of %s without usage", call.model)
            self.extra_usage.cancel(call)
            return
        self.extra_usage.report(
            call,
            id=mark,
            usage=usage,
            model=model_of(kwargs),
            occurred_at=_moment(end_time),
            provider=provider_of(kwargs),
            request_id=request_id_of(kwargs, response_obj),
        )

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> None:
        """A call failed for good, after all of LiteLLM's own tries: it costs nothing."""
        for mark in _marks_of(request_data):
            if call := self._calls.get(mark):
                self.extra_usage.cancel(call)

    def _call_of(self, kwargs: Mapping[str, Any]) -> tuple[str, Call]:
        """The call that a log is about, and the id of its event: the same one again
        where LiteLLM logs a call twice. Usage of a call that we were not asked about is
        reported too.
        """
        for mark in _marks_of(kwargs):
            if call := self._calls.get(mark):
                return mark, call
        member = logged_member_of(plain(kwargs.get("standard_logging_object")))
        answer = Answer(allowed=True, said="outage")
        call = Call(member or "unknown", self._surface, "", answer)
        return f"litellm-call-{kwargs.get('litellm_call_id')}"[:200], call

    async def _started(self) -> None:
        if self.extra_usage.is_started:
            return
        async with self._starting:
            if not self.extra_usage.is_started:
                await self.extra_usage.start()
                before_shutdown(self.extra_usage.close)


def refusal(sentence: str, *, is_anthropic: bool) -> Refused:
    """A 402 in the dialect of the route, as LiteLLM passes it on."""
    if is_anthropic:
        detail: Any = json.dumps(anthropic_refusal(sentence), ensure_ascii=False)
    else:
        detail = openai_refusal(sentence)
    error = Refused(PAYMENT_REQUIRED, detail, headers=dict(HEADERS))
    error.type = "insufficient_quota"  # type: ignore[attr-defined]
    return error


def hook_from_environment() -> ExtraUsageHook:
    """The hook as the variables EXTRA_USAGE_… say. Raises BadOption."""
    surface = os.environ.get("EXTRA_USAGE_SURFACE") or "claude"
    return ExtraUsageHook(ExtraUsage(options_from_environment()), surface=surface)


def _write_mark(data: dict[str, Any], mark: str) -> None:
    """Into LiteLLM's own metadata, which it logs; beside it may stand the client's, which
    goes to the provider.
    """
    places = [data.get(name) for name in PLACES]
    ours = [one for one in places if isinstance(one, dict) and "user_api_key" in one]
    if ours:
        ours[0][MARK] = mark
    else:
        data.setdefault("litellm_metadata", {})[MARK] = mark


def _marks_of(kwargs: Mapping[str, Any]) -> Iterator[str]:
    """Our ids in a log or a request; a client may have written others beside ours."""
    params = plain(kwargs.get("litellm_params"))
    for place in (params, kwargs):
        for name in PLACES:
            mark = plain(place.get(name)).get(MARK)
            if isinstance(mark, str):
                yield mark


def _moment(value: Any) -> dt.datetime | None:
    """LiteLLM's times are local ones without a zone."""
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else None
