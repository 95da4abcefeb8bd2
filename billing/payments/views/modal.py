"""What the modals about money share."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from accounts.access import MemberRequest
from billing.payments.queries.cards import card_of
from billing.payments.reader import BalanceReader
from config.kit.htmx import render_modal


def money_modal(
    request: MemberRequest,
    page: BalanceReader,
    name: str,
    context: dict[str, Any],
    *,
    title: str,
) -> HttpResponse:
    """`billing/payments/<name>.html` with the balance and the card it is paid with."""
    shared = page.shared() | {
        "balance": page.balance,
        "card": card_of(page.organization.pk),
    }
    template = f"billing/payments/{name}.html"
    return render_modal(request, template, shared | context, title=title, name=name)


def usage_page(page: BalanceReader) -> str:
    """Where Settings › Usage is."""
    return reverse("usage_settings", args=[page.organization.slug])
