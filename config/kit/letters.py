"""What stands in a mail, whatever it is about: `emails/letter` puts it in the one frame
of all mails, as HTML and as text.

All texts are in the reader's language already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Press:
    """A link with what it does."""

    label: str
    link: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: what it is, its value, and a smaller second line."""

    label: str
    value: str
    second: str = ""

    @property
    def text(self) -> str:
        """As one line of plain text."""
        second = f" ({self.second})" if self.second else ""
        return f"{self.label}: {self.value}{second}"


@dataclass(frozen=True, slots=True)
class Bar:
    """How much of a limit is used, in whole per cent from 0 to 100, with a text at each
    end. `is_over`: it has stopped something.
    """

    percent: int
    used: str
    limit: str
    is_over: bool = False

    @property
    def left(self) -> int:
        """What is not used, in per cent."""
        return 100 - self.percent


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail: the most important first, then what it means, the facts, the one press
    that helps, why it came and how to stop it.

    `name` heads it (an organization; else the product), `when` says as of when.
    """

    title: str
    lines: Sequence[str]
    press: Press | None
    why: str
    strong: str = ""
    bar: Bar | None = None
    facts: Sequence[Fact] = ()
    has_total: bool = False
    note_by: str = ""
    note: str = ""
    advice: str = ""
    second: Press | None = None
    stops: Sequence[Press] = ()
    name: str = ""
    when: str = ""
    subject: str = ""

    @property
    def text_lines(self) -> list[str]:
        """The lines as plain text, the first with what is strong in it."""
        first, *others = [*self.lines]
        return [f"{self.strong} {first}" if self.strong else first, *others]
