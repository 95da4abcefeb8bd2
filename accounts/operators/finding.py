"""One search over everything: every app finds its own, exact ids first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise

from accounts.models import User

# Of one kind; the kind's own list has the rest.
MOST_OF_A_KIND = 8


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was found, and its page; `is_exact`: the text is its whole id."""

    title: str
    facts: str
    url: str
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found of one kind; `more_url` is the kind's own list with the search."""

    label: str
    icon: str
    rows: list[Found]
    more_url: str


Finder = Callable[[str], list[Found]]


@dataclass(frozen=True, slots=True)
class FinderKind:
    """A finder, what it finds and what it takes to look."""

    label: str | Promise
    icon: str
    find: Finder
    permission: str
    more: Callable[[str], str]


_FINDERS: dict[str, FinderKind] = {}


def register_finder(name: str, kind: FinderKind) -> None:
    """Let the operators' search look there as well."""
    _FINDERS[name] = kind


def list_search(list_name: str) -> Callable[[str], str]:
    """The address of a table's own list with a search."""
    return lambda text: f"{reverse(f'admin:{list_name}')}?{urlencode({'q': text})}"


def hits_for(operator: User, text: str) -> list[Hits]:
    """What was found of each kind this operator may see; kinds with an exact hit first."""
    hits = []
    for kind in _FINDERS.values():
        rows = kind.find(text) if operator.has_perm(kind.permission) else []
        if rows:
            rows.sort(key=lambda found: not found.is_exact)
            is_cut = len(rows) > MOST_OF_A_KIND
            more = kind.more(text) if is_cut else ""
            shown = rows[:MOST_OF_A_KIND]
            hits.append(Hits(str(kind.label), kind.icon, shown, more))
    return sorted(hits, key=lambda of_kind: not of_kind.rows[0].is_exact)
