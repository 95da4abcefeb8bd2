"""Operators' lists of tables that only grow: nothing that a page does reads the table
from end to end.

Counts stop, pages end, sums over all rows are not asked for, and a search is by exact
values that an index finds. Never holds domain knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import AllValuesFieldListFilter
from django.core.paginator import Paginator
from django.db.models import ForeignKey, Max, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import smart_split, unescape_string_literal
from django.utils.translation import gettext_lazy

from config.kit.code_words import wording_of

# A list counts, and has pages for, its first rows only.
MOST_LISTED = 10_000
# Rows of another table that a search may stand for, such as a person's memberships.
MOST_FOUND = 1_000
# Values that a filter offers.
MOST_CHOICES = 100
BIGGEST = 2**63 - 1


class BoundedPaginator(Paginator):
    """Pages of the first MOST_LISTED rows."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, up to MOST_LISTED."""
        return min(self._seen, MOST_LISTED)

    @cached_property
    def _seen(self) -> int:
        rows: Any = self.object_list
        return rows.order_by().values("pk")[: MOST_LISTED + 1].count()

    @property
    def is_cut(self) -> bool:
        """Whether there are more."""
        return self._seen > MOST_LISTED


class RecentValues(AllValuesFieldListFilter):
    """A filter by the values that the newest rows have."""

    def __init__(self, field: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, *args, **kwargs)
        newest = field.model._base_manager.order_by("-pk")
        values = newest.values_list(field.name, flat=True)[:MOST_LISTED]
        found = sorted({value for value in values if value is not None})
        self.lookup_choices: Any = found[-MOST_CHOICES:]
        self.wording = wording_of(field)

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Codes by their words."""
        for choice in super().choices(changelist):
            word = self.wording and self._word(str(choice["display"]))
            yield {**choice, "display": word or choice["display"]}

    def _word(self, shown: str) -> str:
        codes = {str(code) for code in self.lookup_choices}
        return self.wording(shown) if self.wording and shown in codes else ""


class BoundedList:
    """Mixed into a ModelAdmin, before it: counts and pages end."""

    show_full_result_count = False
    list_per_page = 50

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> BoundedPaginator:
        """One that ends."""
        return BoundedPaginator(queryset, *args, **kwargs)


class LargeTable(BoundedList):
    """Mixed into a ModelAdmin, before it, for a table that only grows.

    `found_by` are what a search finds rows by, exactly: columns of the table, or columns
    reached through a foreign key, whose rows are looked up first. The index must begin
    with the column or the key. `latest` limits a list that nobody searched to the newest
    so many numbers, so that a filter for something rare ends.
    """

    ordering: Any = ("-pk",)
    found_by: tuple[str, ...] = ()
    latest: int | None = None

    search_help_text: Any = gettext_lazy(
        "Search by exact values: an address, an organization's slug, a number or an ID."
    )

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """So that there is a field to search in."""
        return self.found_by

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The newest, unless somebody searches or opens one row."""
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        if self.latest is None or not is_list or request.GET.get("q", "").strip():
            return rows
        newest = rows.model._base_manager.aggregate(newest=Max("pk"))["newest"] or 0
        return rows.filter(pk__gt=newest - self.latest)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows that have each of the words in one of `found_by`."""
        for word in smart_split(search_term.replace("\0", "")):
            if word[0] in "\"'" and word[0] == word[-1]:
                word = unescape_string_literal(word)
            queryset = queryset.filter(self._having(queryset.model, word))
        return queryset, False

    def _having(self, model: type[Model], word: str) -> Q:
        """Nothing is found by nothing: columns that may be empty mostly are."""
        found = Q(pk__in=[])
        if not word:
            return found
        if word.isdecimal() and len(word) < 20 and int(word) <= BIGGEST:
            found |= Q(pk=int(word))
        for path in self.found_by:
            found |= self._found(model, path, word)
        return found

    def _found(self, model: type[Model], path: str, word: str) -> Q:
        """By one path; through a key by the numbers of the rows at its other end."""
        name, _dots, rest = path.partition("__")
        field = model._meta.get_field(name)
        if not isinstance(field, ForeignKey) or not rest:
            return Q(**{name: word})
        other: Any = field.related_model
        rows = other._base_manager.filter(**{f"{rest}__in": {word, word.lower()}})
        numbers = list(rows.order_by().values_list("pk", flat=True)[:MOST_FOUND])
        return Q(**{f"{name}__in": numbers}) if numbers else Q(pk__in=[])
