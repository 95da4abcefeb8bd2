"""`manage.py sync_prices`: take over the rates of the installed `genai-prices` package."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.actions.audit import Actor
from billing.metering.actions.repricing import reprice_events
from billing.prices.actions import sync_prices
from billing.prices.queries.listed import PriceKey, undercharging_fallbacks
from config.kit.money import to_decimal_text

MOST_LINES = 50


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
        self._list("retired, the package took it back", changes.retired)
        self._list("no longer listed, its last price stays", changes.dropped)
        self._few("factor entered", changes.factors)
        self._few("factor retired", changes.retired_factors)
        self._few("name entered", changes.names)
        self.stdout.write(
            f"{len(changes.added)} added, {len(changes.corrected)} corrected, "
            f"{len(changes.kept_by_operator)} kept, {changes.unchanged} unchanged, "
            f"{len(changes.retired)} retired, {len(changes.dropped)} no longer listed"
        )
        if undercharging := undercharging_fallbacks():
            self.stderr.write(
                "The fallback rates of the settings are below the dearest model of"
                f" {', '.join(undercharging)}: unknown models may be charged too little."
            )
        if changes.is_any:
            self._say_what_to_reprice()

    def _list(self, what_became: str, keys: list[PriceKey]) -> None:
        self._few(what_became, [price_name(key) for key in keys])

    def _few(self, what_became: str, names: list[str]) -> None:
        """The first fifty: a new installation gets thousands."""
        for name in names[:MOST_LINES]:
            self.stdout.write(f"{what_became}: {name}")
        if len(names) > MOST_LINES:
            self.stdout.write(f"{what_became}: {len(names) - MOST_LINES} more")

    def _say_what_to_reprice(self) -> None:
        repriced = reprice_events(now=timezone.now(), dry_run=True)
        if repriced.adjusted:
            self.stdout.write(
                f"{repriced.adjusted} events would be priced otherwise now,"
                f" ${to_decimal_text(repriced.nanos)} in total: look at them with"
                " `manage.py reprice_events --dry-run`."
            )


def price_name(key: PriceKey) -> str:
    """A price by its model, its first day and the size of the requests it is for."""
    provider, model, starts_on, context_above = key
    tier = f", above {context_above:,} input tokens" if context_above else ""
    since = f" from {starts_on}" if starts_on.year > 1970 else ""
    return f"{provider}/{model or 'fallback rate'}{since}{tier}"
