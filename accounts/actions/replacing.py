"""Putting a pseudonym in the place of somebody in every table that was declared, and
counting where. Part of erasing; see `accounts.actions.erasing`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.db.models import JSONField, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.models import Organization, User
from config.kit.mentions import StandIn, search_forms
from config.kit.personal import Personal, personal_tables

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Touched:
    """How many rows of a table were replaced or deleted, or name the person and stay."""

    table: str
    columns: str
    rows: int
    how: Literal["replaced", "deleted", "kept"]


def replace_everywhere(
    user: User,
    stand_in: StandIn,
    *,
    elsewhere: frozenset[str],
    within: Collection[Organization],
) -> list[Touched]:
    """Replace or delete in all tables; `elsewhere` are the addresses that are also
    replaced in rows about others.
    """
    touched: list[Touched] = []
    for table in personal_tables():
        work = _Table(table, user, [organization.pk for organization in within])
        touched += work.touch(stand_in, elsewhere)
    return [one for one in touched if one.rows]


class _Table:
    """The work in one table."""

    def __init__(self, table: Personal, user: User, within: list[int]) -> None:
        self.table = table
        self.model: type[Model] = table.table
        rows = self.model._base_manager.all()
        self.about = rows.filter(**{table.person: user.pk}) if table.person else None
        self.all = rows.filter(
            **{f"{table.within}__in": within} if table.within else {}
        )

    def touch(self, stand_in: StandIn, elsewhere: frozenset[str]) -> Iterator[Touched]:
        """All that is declared, one kind after the other."""
        if self.table.is_deleted and self.about is not None:
            yield self._told("", self.about.delete()[0], "deleted")
            return
        if self.table.copies and self.about is not None:
            changes = {
                column: getattr(stand_in, source) if source else ""
                for column, source in self.table.copies.items()
            }
            is_changed = ~Q(**changes)
            rows = self.about.filter(is_changed).update(**changes)
            yield self._told(self.table.copies, rows, "replaced")
        if self.table.texts:
            others = replace(stand_in, names=frozenset(), addresses=elsewhere)
            rows = self._replace(self.about, stand_in) + self._replace(self.all, others)
            yield self._told(self.table.texts, rows, "replaced")
        if self.table.kept and self.table.within:
            words = set(elsewhere)
            kept = _holding(self.all, self.table.kept, words).count() if words else 0
            yield self._told(self.table.kept, kept, "kept")

    def _told(self, columns: Collection[str], rows: int, how: Any) -> Touched:
        fields = [self.model._meta.get_field(column) for column in columns]
        names = ", ".join(str(getattr(one, "verbose_name", one.name)) for one in fields)
        return Touched(str(self.model._meta.verbose_name_plural), names, rows, how)

    def _replace(self, rows: QuerySet[Any] | None, stand_in: StandIn) -> int:
        """The words in the text columns of these rows; how many rows had some."""
        words = stand_in.addresses | stand_in.names
        if rows is None or not words:
            return 0
        held = _holding(rows, self.table.texts, words).order_by("pk")
        last, count = 0, 0
        while chunk := list(
            held.filter(pk__gt=last).values("pk", *self.table.texts)[:CHUNK]
        ):
            last = chunk[-1]["pk"]
            count += self._write(chunk, stand_in)
        return count

    def _write(self, chunk: list[dict[str, Any]], stand_in: StandIn) -> int:
        """One UPDATE for all rows that are to read the same."""
        alike: dict[str, list[int]] = {}
        for row in chunk:
            pk = row.pop("pk")
            new = {name: self._new(name, row[name], stand_in) for name in row}
            changes = {name: new[name] for name in new if new[name] != row[name]}
            if changes:
                alike.setdefault(json.dumps(changes), []).append(pk)
        for changes_json, pks in alike.items():
            rows = self.model._base_manager.filter(pk__in=pks)
            rows.update(**json.loads(changes_json))
        return sum(map(len, alike.values()))

    def _new(self, column: str, value: Any, stand_in: StandIn) -> Any:
        field = self.model._meta.get_field(column)
        if isinstance(field, JSONField):
            return stand_in.in_value(value)
        most = getattr(field, "max_length", None)
        return stand_in.in_text(value, most=most) if value else value


def _holding(
    rows: QuerySet[Any], columns: Collection[str], words: Collection[str]
) -> QuerySet[Any]:
    """The rows with one of the words in one of the columns, in any case."""
    forms = {form for word in words for form in search_forms(word)}
    wanted = Q()
    for column in columns:
        for form in forms:
            wanted |= Q(**{f"text_of_{column}__icontains": form})
    texts = {f"text_of_{column}": Cast(column, TextField()) for column in columns}
    return rows.annotate(**texts).filter(wanted)
