"""What a reader of the table asked for, out of the address; anything unknown falls back
to the default.
"""

from __future__ import annotations

from django.http import HttpRequest, QueryDict

from accounts.models import Tier
from billing.reports.queries.members import (
    ACTIVE,
    DEFAULT_SORT,
    NO_SEAT,
    OFF,
    PAUSED,
    REMOVED,
    SORTS,
    MemberFilter,
)

MOST_WORDS = 6


def filter_of(request: HttpRequest) -> MemberFilter:
    """The filter in the address: `q`, `seat`, `status`, and `order` (a pressed head) or
    `sort`.
    """
    asked = request.GET
    return MemberFilter(
        words=words_of(asked.get("q", "")),
        seat=_known(asked.get("seat", ""), {*Tier.values, NO_SEAT}),
        state=_known(asked.get("status", ""), {ACTIVE, PAUSED, OFF, REMOVED}),
        sort=_sort(asked.get("order") or asked.get("sort", "")),
    )


def words_of(text: str) -> tuple[str, ...]:
    """The words to search for; all must be in the name or address."""
    return tuple(text.replace("\0", " ")[:200].split()[:MOST_WORDS])


def page_of(request: HttpRequest, *, pages: int) -> int:
    """The page number in the address, kept within what there is."""
    text = request.GET.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
    return min(max(1, number), max(1, pages))


def address_of(filters: MemberFilter, *, page: int = 1) -> str:
    """The query string that leads back to the same rows, defaults left out."""
    query = QueryDict(mutable=True)
    values = {
        "q": " ".join(filters.words),
        "seat": filters.seat,
        "status": filters.state,
        "sort": "" if filters.sort == DEFAULT_SORT else filters.sort,
        "page": "" if page == 1 else str(page),
    }
    query.update({name: value for name, value in values.items() if value})
    return query.urlencode()


def _known(value: str, allowed: set[str]) -> str:
    return value if value in allowed else ""


def _sort(value: str) -> str:
    return value if value.removeprefix("-") in SORTS else DEFAULT_SORT
