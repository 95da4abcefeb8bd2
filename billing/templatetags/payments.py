"""What templates say of payments."""

from __future__ import annotations

from django import template

from billing.payments import gateways

register = template.Library()


@register.simple_tag
def why_no_payments() -> str:
    """Why no card can be added and nothing bought; empty where they can."""
    return gateways.why_no_payments()
