"""A refusal as each API's clients understand it: status 402, which none of them tries
again, with the sentence where they show it.
"""

from __future__ import annotations

from typing import Any

PAYMENT_REQUIRED = 402
# Kept by few gateways; with 402 clients don't try again even without it.
HEADERS = {"x-should-retry": "false"}


def anthropic_refusal(sentence: str) -> dict[str, Any]:
    """The body of an error of the Messages API."""
    return {"type": "error", "error": {"type": "billing_error", "message": sentence}}


def openai_refusal(sentence: str) -> dict[str, Any]:
    """The body of an error of chat completions and responses."""
    return {
        "error": {
            "message": sentence,
            "type": "insufficient_quota",
            "param": None,
            "code": "insufficient_quota",
        }
    }
