"""The price book, read once a process and version of the price list. Read-only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from functools import lru_cache
from threading import Lock

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import Provider

from billing.models import ModelPrice, UsageDay
from billing.models.prices import RATE_FIELDS
from billing.prices.rules import PriceBook, PriceHistory, Rates

ORGANIZATION = "membership__organization_id"
_lock = Lock()
_books: dict[int, PriceBook] = {}


@lru_cache(maxsize=1)
def anthropic() -> Provider:
    """The Anthropic provider of the installed `genai-prices`."""
    return next(
        provider for provider in get_snapshot().providers if provider.id == "anthropic"
    )


def anthropic_model_id(model: str) -> str | None:
    """The `genai-prices` id of the Anthropic model that `model` names, such as one with
    a date in it; None if unknown.
    """
    package_model = anthropic().find_model(model)
    return package_model.id if package_model else None


def read_price_book(*, version: int = 0) -> PriceBook:
    """All prices in force, from the database."""
    rates: dict[str, list[Rates]] = defaultdict(list)
    names = ("model", "id", "starts_on", "context_above", *RATE_FIELDS)
    for model, *values in ModelPrice.objects.in_force().values_list(*names):
        rates[model].append(Rates(*values))
    histories = {model: PriceHistory.of(of_model) for model, of_model in rates.items()}
    return PriceBook(histories, anthropic_model_id, version)


def price_book(version: int) -> PriceBook:
    """The book of this version of the price list; other versions are forgotten.

    Threads that miss it at once wait for the lock and read it one after the other.
    """
    book = _books.get(version)
    if book is None:
        with _lock:
            book = read_price_book(version=version)
            _books.clear()
            _books[version] = book
    return book


def organizations_using(models: Set[str]) -> dict[str, list[int]]:
    """Which organizations (ids) ever used a model that the list prices under one of
    these names, whatever the gateway called it.

    Reads every day's counters, so it is for changes of prices, which are rare.
    """
    book = read_price_book()
    used = UsageDay.objects.order_by().values_list("model", ORGANIZATION).distinct()
    users: dict[str, set[int]] = defaultdict(set)
    for called, organization_id in used.iterator():
        name = book.known_name(called)
        if name in models:
            users[name].add(organization_id)
    return {name: sorted(ids) for name, ids in users.items()}


def forget_price_books() -> None:
    """Read again at the next use; for tests, whose rolled-back versions come again with
    other prices.
    """
    _books.clear()
