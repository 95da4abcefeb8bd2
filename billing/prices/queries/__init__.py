"""The price book, and what the installed `genai-prices` says. Read-only."""

from __future__ import annotations

from billing.prices.queries.book import (
    forget_price_books,
    models_in_use,
    organizations_using,
    price_book,
    read_price_book,
)

__all__ = [
    "forget_price_books",
    "models_in_use",
    "organizations_using",
    "price_book",
    "read_price_book",
]
