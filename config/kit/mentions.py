"""A person's names and addresses in texts, and what stands for them instead. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

# Codes among texts, such as a role: nobody's name, whoever is called so.
_CODE = re.compile(r"[a-z0-9_.:-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class StandIn:
    """The pseudonym, and the words it stands for. Addresses are found in any case, inside
    no longer one; names as they are written, as words of their own.
    """

    name: str
    email: str
    addresses: frozenset[str]
    names: frozenset[str] = frozenset()

    def in_text(self, text: str, *, most: int | None = None) -> str:
        """The text with the pseudonym; at most so long, and the name alone where the
        pseudonym would be cut.
        """
        replaced = self._pattern(self.addresses, _whole_address).sub(self.email, text)
        replaced = self._pattern(self.names, _whole_name).sub(self.name, replaced)
        if most is None or len(replaced) <= most:
            return replaced
        cut = replaced[:most]
        return cut if self.email in cut or self.name in cut else self.name[:most]

    def in_value(self, value: Any) -> Any:
        """The same in a value of JSON, its keys too; codes stay as they are."""
        if isinstance(value, str):
            return value if _CODE.fullmatch(value) else self.in_text(value)
        if isinstance(value, dict):
            return {self.in_value(k): self.in_value(part) for k, part in value.items()}
        if isinstance(value, list):
            return [self.in_value(part) for part in value]
        return value

    @staticmethod
    def _pattern(words: Collection[str], whole: Any) -> re.Pattern[str]:
        longest_first = sorted(words, key=len, reverse=True)
        return re.compile("|".join(map(whole, longest_first)) or r"(?!)")


def _whole_address(address: str) -> str:
    return rf"(?i:(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w))"


def _whole_name(name: str) -> str:
    """Where words have no spaces between them, nothing tells where a name ends."""
    if not name.isascii():
        return re.escape(name)
    return rf"(?<!\w){re.escape(name)}(?!\w)"


def search_forms(word: str) -> set[str]:
    """How a word can stand in a column of text or JSON, letters beyond ASCII escaped."""
    return {word, json.dumps(word)[1:-1]}
