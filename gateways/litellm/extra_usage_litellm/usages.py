"""What LiteLLM logs of a call, as the API of Extra usage takes it: counts and names, and
never a word of a prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
INSIDE = {
    "prompt_tokens_details": ("cached_tokens", "cache_creation_tokens", "audio_tokens"),
    "input_tokens_details": ("cached_tokens", "cache_creation_tokens", "audio_tokens"),
    "completion_tokens_details": ("audio_tokens",),
    "output_tokens_details": ("audio_tokens",),
    "cache_creation": ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
    "server_tool_use": ("web_search_requests",),
}
DETAILS = ("prompt_tokens_details", "input_tokens_details")
CONDITIONS = ("speed", "inference_geo", "service_tier")
REQUEST_IDS = (
    "llm_provider-request-id",
    "llm_provider-x-request-id",
    "request-id",
    "x-request-id",
)


def usage_of(kwargs: Mapping[str, Any], response: Any) -> dict[str, Any] | None:
    """The usage of a response in its own shape, or as LiteLLM logged it; None where
    nobody counted.
    """
    usages = (_counts_of(plain(place)) for place in _places_of(kwargs, response))
    return next((usage for usage in usages if usage), None)


def _places_of(kwargs: Mapping[str, Any], response: Any) -> Iterator[Any]:
    """Where usage may stand. A response as an object is not made a mapping, which copies
    every word of it.
    """
    if isinstance(response, Mapping):
        yield response.get("usage")
    else:
        yield getattr(response, "usage", None)
    logged = plain(kwargs.get("standard_logging_object"))
    yield plain(logged.get("metadata")).get("usage_object")
    yield logged


def _counts_of(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Counts and conditions alone."""
    usage: dict[str, Any] = {
        name: sent[name] for name in COUNTS if _is_count(sent.get(name))
    }
    if not any(usage.values()):
        return {}
    for name, keys in INSIDE.items():
        if counts := _inside(sent.get(name), keys):
            usage[name] = counts
    lifetimes = INSIDE["cache_creation"]
    for name in DETAILS:
        split = plain(sent.get(name)).get("cache_creation_token_details")
        if counts := _inside(split, lifetimes):
            usage.setdefault("cache_creation", counts)
    for name in CONDITIONS:
        if isinstance(sent.get(name), str):
            usage[name] = sent[name]
    return usage


def _inside(value: Any, keys: tuple[str, ...]) -> dict[str, int]:
    inside = plain(value)
    return {key: inside[key] for key in keys if _is_count(inside.get(key))}


def request_id_of(kwargs: Mapping[str, Any], response: Any) -> str | None:
    """The id that the provider gave the call, where LiteLLM knows it."""
    logged = plain(kwargs.get("standard_logging_object"))
    hidden = plain(logged.get("hidden_params"))
    own = plain(getattr(response, "_hidden_params", None))
    for place in (hidden, own):
        headers = plain(place.get("additional_headers"))
        for name in REQUEST_IDS:
            value = headers.get(name) or headers.get(name.replace("-", "_"))
            if isinstance(value, str) and value:
                return value[:200]
    return None


def model_of(kwargs: Mapping[str, Any]) -> str:
    """The model that served the call, by the name that its provider knows."""
    logged = plain(kwargs.get("standard_logging_object"))
    for value in (kwargs.get("model"), logged.get("model")):
        if isinstance(value, str) and value:
            return value
    return ""


def provider_of(kwargs: Mapping[str, Any]) -> str | None:
    """LiteLLM's name of the provider."""
    logged = plain(kwargs.get("standard_logging_object"))
    params = plain(kwargs.get("litellm_params"))
    for place in (params, logged, kwargs):
        value = place.get("custom_llm_provider")
        if isinstance(value, str) and value:
            return value
    return None


def plain(value: Any) -> Mapping[str, Any]:
    """An object of LiteLLM, or of a provider's library, as a mapping; empty for none."""
    if isinstance(value, Mapping):
        return value
    dump = getattr(value, "model_dump", None)
    dumped = dump() if callable(dump) else None
    return dumped if isinstance(dumped, dict) else {}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
