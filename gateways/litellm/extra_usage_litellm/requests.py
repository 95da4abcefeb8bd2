"""Who makes a call through LiteLLM, from where, and in which dialect it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CLAUDE_CODE = "claude-cli"  # how its User-Agent begins
# LiteLLM's name for calls by the master key without a user.
NOBODY = "default_user_id"


def member_of(key: Any) -> str | None:
    """The member that a key of LiteLLM stands for: its user's address, else `member` of
    its metadata, else its user's id. Never a header: clients write those.
    """
    metadata = getattr(key, "metadata", None)
    named = metadata.get("member") if isinstance(metadata, Mapping) else None
    email, user_id = getattr(key, "user_email", None), getattr(key, "user_id", None)
    return _first_name(email, named, user_id)


def logged_member_of(logged: Mapping[str, Any]) -> str | None:
    """The same, of a key as it stands in a log of LiteLLM."""
    said = logged.get("metadata")
    said = said if isinstance(said, Mapping) else {}
    metadata = said.get("user_api_key_auth_metadata")
    named = metadata.get("member") if isinstance(metadata, Mapping) else None
    return _first_name(
        said.get("user_api_key_user_email"), named, said.get("user_api_key_user_id")
    )


def _first_name(*values: Any) -> str | None:
    for value in values:
        if isinstance(value, str) and value.strip() and value != NOBODY:
            return value.strip()
    return None


def surface_of(data: Mapping[str, Any], default: str) -> str:
    """Claude Code by its User-Agent, anything else as configured."""
    headers = _request(data).get("headers")
    if not isinstance(headers, Mapping):
        return default
    agent = headers.get("user-agent") or headers.get("User-Agent") or ""
    return "claude_code" if str(agent).startswith(CLAUDE_CODE) else default


def speaks_anthropic(data: Mapping[str, Any], call_type: str) -> bool:
    """Whether the call came by the Messages API."""
    if call_type == "anthropic_messages":
        return True
    path = str(_request(data).get("url") or "").split("?")[0]
    return path.rstrip("/").endswith("/v1/messages")


def _request(data: Mapping[str, Any]) -> Mapping[str, Any]:
    request = data.get("proxy_server_request")
    return request if isinstance(request, Mapping) else {}
