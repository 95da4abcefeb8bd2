"""The price book, read once a process and version of the price list. Read-only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from threading import Lock
from typing import NamedTuple

from billing.models import ModelAlias, ModelPrice, PriceFactor, PriceSource, UsageDay
from billing.models.prices import RATE_FIELDS
from billing.prices.queries.package import candidates, provider_of
from billing.prices.rules import (
    Factor,
    FactorBook,
    PriceBook,
    PricedModel,
    PriceHistory,
    Rates,
)

ORGANIZATION = "membership__organization_id"
_lock = Lock()
_books: dict[int, PriceBook] = {}


def read_price_book(*, version: int = 0) -> PriceBook:
    """All prices, factors and names in force, from the database."""
    rates: dict[PricedModel, list[Rates]] = defaultdict(list)
    entered: set[PricedModel] = set()
    names = ("provider", "model", "source", "id", "starts_on", "context_above")
    rows = ModelPrice.objects.in_force().values_list(*names, *RATE_FIELDS)
    for provider, model, source, *values in rows:
        priced = PricedModel(provider, model)
        rates[priced].append(Rates(*values))
        if source == PriceSource.OPERATOR and model:
            entered.add(priced)
    return PriceBook(
        {model: PriceHistory.of(of_model) for model, of_model in rates.items()},
        candidates=candidates,
        provider_of=provider_of,
        factors=FactorBook.of(_factors()),
        entered=entered,
        aliases=_aliases(),
        version=version,
    )


def _factors() -> list[Factor]:
    columns = ("condition", "value", "pattern", "starts_on", "millionths")
    rows = PriceFactor.objects.in_force().values_list(*columns)
    return [Factor(*row) for row in rows]


def _aliases() -> dict[str, PricedModel]:
    rows = ModelAlias.objects.values_list("name", "provider", "model")
    return {name: PricedModel(provider, model) for name, provider, model in rows}


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


class ModelInUse(NamedTuple):
    """A name that a gateway reported, the model it is priced as, and who (an id) ever
    used it.
    """

    called: str
    priced: PricedModel
    organization_id: int


def models_in_use() -> list[ModelInUse]:
    """Every model ever used, by reported name and organization.

    Reads every day's counters, so it is for changes of prices, which are rare.
    """
    book = read_price_book()
    used = UsageDay.objects.order_by().values_list("model", ORGANIZATION).distinct()
    return [
        ModelInUse(called, book.priced_model(called), organization_id)
        for called, organization_id in used.iterator()
    ]


def organizations_using(models: Set[PricedModel]) -> dict[PricedModel, list[int]]:
    """Which organizations (ids) ever used a model that the list prices under one of
    these names, whatever the gateway called it.
    """
    users: dict[PricedModel, set[int]] = defaultdict(set)
    for used in models_in_use():
        if used.priced in models:
            users[used.priced].add(used.organization_id)
    return {name: sorted(ids) for name, ids in users.items()}


def forget_price_books() -> None:
    """Read again at the next use; for tests, whose rolled-back versions come again with
    other prices.
    """
    _books.clear()
