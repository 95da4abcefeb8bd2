"""A hook for LiteLLM that does nothing: what LiteLLM itself takes for calling one.

`tests/bench/ways.py` copies this file beside LiteLLM's config.yaml.
"""

from __future__ import annotations

from typing import Any

from litellm.integrations.custom_logger import CustomLogger


class EmptyHook(CustomLogger):  # type: ignore[misc]
    """The same three methods as ours, and empty."""

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Let everything pass."""
        return data

    async def async_log_success_event(self, *words: Any) -> None:
        """Note nothing."""

    async def async_post_call_failure_hook(self, *words: Any, **named: Any) -> None:
        """Note nothing."""


hook = EmptyHook()
