"""Extra usage for gateways: ask before each call, report after it.

    async with ExtraUsage(options_from_environment()) as extra_usage:
        call = await extra_usage.ask("bob@acme.example", model="claude-sonnet-4-5")
        if not call.allowed:
            return refuse(402, anthropic_refusal(call.answer.sentence))
        response = await send_upstream()
        extra_usage.report(call, id=response["id"], usage=response["usage"])

Nothing of the product is imported here, and nothing but Python's own library.
"""

from extra_usage_client.answers import Answer, Lease
from extra_usage_client.calls import Call
from extra_usage_client.client import ExtraUsage
from extra_usage_client.dialects import (
    HEADERS,
    PAYMENT_REQUIRED,
    anthropic_refusal,
    openai_refusal,
)
from extra_usage_client.metrics import Metrics
from extra_usage_client.options import BadOption, Options, options_from_environment

__all__ = [
    "HEADERS",
    "PAYMENT_REQUIRED",
    "Answer",
    "BadOption",
    "Call",
    "ExtraUsage",
    "Lease",
    "Metrics",
    "Options",
    "anthropic_refusal",
    "openai_refusal",
    "options_from_environment",
]
