"""`manage.py sync_prices`: take over the rates of the installed `genai-prices` package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.actions.audit import Actor
from billing.prices.actions import PriceKey, sync_prices


class Command(BaseCommand):
    help = (
        "Update model prices to match the genai-prices package. Operators' own rows "
        "are never overwritten."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        changes = sync_prices(actor=Actor(label="sync_prices"), now=timezone.now())
        self._list("added", changes.added)
        self._list("corrected", changes.corrected)
        self._list("kept (an operator's)", changes.kept_by_operator)
        self.stdout.write(
            f"{len(changes.added)} added, {len(changes.corrected)} corrected, "
            f"{len(changes.kept_by_operator)} kept, {changes.unchanged} unchanged"
        )

    def _list(self, what_became: str, keys: Iterable[PriceKey]) -> None:
        for key in keys:
            self.stdout.write(f"{what_became}: {price_name(key)}")


def price_name(key: PriceKey) -> str:
    """A price by its model, its first day and the size of the requests it is for."""
    model, starts_on, context_above = key
    tier = f", above {context_above:,} input tokens" if context_above else ""
    since = f" from {starts_on}" if starts_on.year > 1970 else ""
    return f"{model or 'fallback rate'}{since}{tier}"
