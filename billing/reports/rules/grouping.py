"""What `group_by` says: names separated by commas, and labels by their keys. Pure."""

from __future__ import annotations

import re

GROUPS = ("day", "member", "surface", "model", "seat_tier")
LABEL = "label:"
MOST_LABELS = 5
# A key as it is, or in quotation marks where it holds a comma or begins with a quotation
# mark; inside, a quotation mark is written twice, as in CSV.
LABEL_KEY = r'("([^"\x00]|""){1,60}"|[^",\x00][^,\x00]{0,59})'
ONE_GROUP = rf"({'|'.join(GROUPS)}|{LABEL}{LABEL_KEY})"
GROUP_PATTERN = rf"^({ONE_GROUP}(,{ONE_GROUP})*)?$"
LONGEST_TEXT = 1_000
_QUOTED = re.compile(r'"((?:[^"]|"")+)"=(.*)', re.DOTALL)
_NEXT = re.compile(rf"{ONE_GROUP}(?P<comma>,|\Z)")


class BadGroup(ValueError):
    """A part of `group_by` that is none."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


def grouped_keys(text: str) -> list[str]:
    """The names in order, each once; a label as `label:` and its key without quotation
    marks. Raises BadGroup.
    """
    keys = []
    position, more = 0, bool(text)
    while more:
        found = _NEXT.match(text, position)
        if found is None:
            raise BadGroup(text[position:])
        keys.append(_plain(found[1]))
        position, more = found.end(), bool(found["comma"])
    unique = list(dict.fromkeys(keys))
    if sum(map(is_label, unique)) > MOST_LABELS:
        raise BadGroup(text)
    return unique


def is_label(key: str) -> bool:
    """Whether a grouped key is that of a label."""
    return key.startswith(LABEL)


def label_key(key: str) -> str:
    """The key of a label that is grouped by."""
    return key.removeprefix(LABEL)


def _plain(group: str) -> str:
    quoted = group.removeprefix(f'{LABEL}"')
    if quoted == group:
        return group
    return LABEL + quoted[:-1].replace('""', '"')


def label_text(key: str, text: str) -> str:
    """A label as an address names it: `KEY=TEXT`, the key in quotation marks where it
    holds an equals sign or begins with a quotation mark.
    """
    if "=" in key or key.startswith('"'):
        quoted = key.replace('"', '""')
        return f'"{quoted}"={text}'
    return f"{key}={text}"


def label_of(written: str) -> tuple[str, str]:
    """The key and the text of what `label_text` wrote."""
    quoted = _QUOTED.fullmatch(written)
    if quoted is not None:
        return quoted[1].replace('""', '"'), quoted[2]
    key, _sign, text = written.partition("=")
    return key, text
