"""What append-only tables take after all: the one change a law or a setting asks for, told
apart by the database itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REFUSE_OTHER_CHANGE = """
CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {exemptions}
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


@dataclass(frozen=True, slots=True)
class Exemption:
    """A change that an append-only table takes: an UPDATE of `columns` and no other, or
    without columns a DELETE, where `when` holds of `OLD` and `NEW`; SQL with subqueries
    that both databases understand.
    """

    when: str
    columns: tuple[str, ...] = ()

    @property
    def change(self) -> str:
        """The change it is about."""
        return "UPDATE" if self.columns else "DELETE"

    def on_postgresql(self) -> str:
        """A step of the trigger's function. Columns that come later are others, too."""
        if not self.columns:
            return (
                f"IF TG_OP = 'DELETE' THEN IF {self.when} THEN RETURN OLD; END IF;"
                " END IF;"
            )
        names = "'{" + ",".join(self.columns) + "}'::text[]"
        return (
            f"IF TG_OP = 'UPDATE' THEN IF to_jsonb(OLD) - {names} = to_jsonb(NEW) -"
            f" {names} AND ({self.when}) THEN RETURN NEW; END IF; END IF;"
        )

    def on_sqlite(self, columns: Sequence[str]) -> str:
        """The question, of a table with these columns."""
        others = [name for name in columns if name not in self.columns]
        same = [f"OLD.{name} IS NEW.{name}" for name in others if self.columns]
        return " AND ".join([*same, f"({self.when})"])


def refuse_other_changes(table: str, exemptions: Sequence[Exemption]) -> str:
    """The function of PostgreSQL behind the table's trigger: each exemption is a
    question, asked first.
    """
    steps = "\n    ".join(one.on_postgresql() for one in exemptions)
    return REFUSE_OTHER_CHANGE.format(table=table, exemptions=steps)
