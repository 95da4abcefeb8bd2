"""The ground floor (config.kit, accounts) knows no word of the rooms above it.

What a room wants to have there (words of the audit, places in the sidebar, tables that
only grow) it registers itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.layers import ROOT, code

# Words of the rooms, in the singular. A request, an event, a statement and a token are
# also HTTP's, the page's, SQL's and a link's, and mean those here.
UPPER_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        adjustment allowance authorization balance billing cap card charge credit decline
        digest funding inbox invoice ledger meter metering payment prepaid price purchase
        receipt refund reload repricing requests reservation runway spend standing
        surface usage
        """,
    )
)
ALLOWED = {
    # Of the library that limits wrong passwords, which takes its count back by this name.
    "_login_failed_rl_usage",
    # Two settings of the inbox, kept in the organization's row: see its comment.
    "requests_enabled",
    "digest_hour",
    "digest_hour__lte",
    "digest_hour_is_an_hour",
    # What an organization has agreed on: its plan and how it settles.
    "ENTERPRISE_USAGE",
    "enterprise_usage",
    "PREPAID",
    "prepaid",
    "billing_email",
    "billing_email__iexact",
    # A scope of API keys: keys are made here, whatever they open.
    "METER",
    "meter",
    # The product's own name in a metric.
    "extra_usage_clock_skew_seconds",
    "extra_usage_places_in_use",
    "extra_usage_places_refused",
    "extra_usage_unavailable",
    # Hashes of secrets.
    "digest",
    "digest_of",
    "bearer_digest",
    "token_digest",
}
CODE = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*", re.ASCII)


def ground_floor() -> list[Path]:
    """Our modules on the ground floor."""
    return [
        path
        for path in code()
        if path.relative_to(ROOT).parts[0] == "accounts"
        or path.relative_to(ROOT).parts[:2] == ("config", "kit")
    ]


def identifiers(path: Path) -> Iterator[str]:
    """Every name a module defines or uses, its own, and texts that are names: of URLs,
    actions, columns.
    """
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.arg(arg=str(name)) | ast.keyword(arg=str(name)):
                yield name
            case ast.ImportFrom(module=str(name)):
                yield name
            case ast.Constant(value=str(name)) if CODE.fullmatch(name):
                yield name


def words_of(identifier: str) -> set[str]:
    """`cap_amount` and `CapAmount` are cap and amount; a plural is its singular too."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)
    words = {part.lower() for part in parts}
    return words | {word.removesuffix("s") for word in words}


def test_words_are_told_apart():
    assert words_of("CapUsd") == {"cap", "usd"}
    assert words_of("_INVOICE_STATES") >= {"invoice", "state"}
    assert words_of("capital") == {"capital"}


def test_the_ground_floor_knows_no_word_of_the_rooms_above():
    hits = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in ground_floor()
        for name in identifiers(path)
        if name not in ALLOWED and words_of(name) & UPPER_WORDS
    }
    assert len(ground_floor()) > 40
    assert hits == set()


def test_what_is_allowed_there_is_still_there():
    names = {name for path in ground_floor() for name in identifiers(path)}
    assert ALLOWED - names == set()
