"""What the tables hold about people, said once by each app when it starts.

Erasing, exporting and the page on privacy go by it; a test holds that every text column
of every table is told. Knows names of columns, no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.apps import apps
from django.db import models

# What stands in a column in place of a person: their name, their address, or nothing.
Stand = Literal["name", "email", ""]


@dataclass(frozen=True, slots=True)
class Personal:
    """What one table holds. Lookups and columns are Django's.

    - `person`: the lookup from a row to the person it is about; empty: to nobody.
    - `copies`: columns of such rows that a pseudonym, or nothing, takes the place of.
    - `texts`: columns in which people's addresses may stand, and in rows about them
      their names; only these words are replaced.
    - `plain`: columns with texts that name nobody, `kept` those that name somebody and
      stay: `why` says by which right.
    - `own`: columns that the act of erasing sets itself.
    - `within`: the lookup to the organization; only rows of the person's are looked
      through. Empty: all rows are.
    - `is_deleted`: rows about an erased person go.
    - `exported`: columns that the person gets of the rows about them, or of those that
      have their address in the column `by_address`; `exported_if` leaves out rows that
      tell of somebody else. `acted`: columns they get of rows that say `actor` did it.
    - `past_names`: rows of which a column holds the person's name as it was: a query by
      person, whose texts are names.
    """

    model: str
    person: str = ""
    copies: Mapping[str, Stand] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    why: str = ""
    within: str = ""
    is_deleted: bool = False
    exported: tuple[str, ...] = ()
    exported_if: models.Q = field(default_factory=models.Q)
    by_address: str = ""
    acted: tuple[str, ...] = ()
    past_names: Callable[[Any], Any] | None = None

    @property
    def table(self) -> Any:
        """The model."""
        return apps.get_model(self.model)

    @property
    def told(self) -> set[str]:
        """Every column of which something is said."""
        return {*self.copies, *self.texts, *self.plain, *self.kept, *self.own}


_TABLES: dict[str, Personal] = {}


def declare(*tables: Personal) -> None:
    """Say what tables hold; those of apps that are not installed are passed over."""
    labels = {config.label for config in apps.get_app_configs()}
    for table in tables:
        if table.model.partition(".")[0] in labels:
            _TABLES[table.model] = table


def personal_tables() -> list[Personal]:
    """All that was declared."""
    return list(_TABLES.values())


def texts_of(model: type[models.Model]) -> set[str]:
    """The columns of a table that can hold words, and so a person's name."""
    kinds = (
        models.CharField,
        models.TextField,
        models.JSONField,
        models.GenericIPAddressField,
        models.BinaryField,
        models.FileField,
    )
    return {
        column.name
        for column in model._meta.concrete_fields
        if isinstance(column, kinds)
    }
