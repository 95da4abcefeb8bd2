"""What no log may hold, taken out of texts: addresses of people, keys, tokens in links,
query strings, and the values that a database quotes in its errors.

Pure; knows texts only.
"""

from __future__ import annotations

import re

# Values in the messages of PostgreSQL: they run on until the next heading of the message
# or the traceback around it, over several lines where a value has some.
_QUOTED_ROW = re.compile(
    r"(DETAIL|CONTEXT|LINE \d+):.*?"
    r"(?=\n(?:DETAIL|CONTEXT|HINT|LINE \d+|Traceback|During|The above|  File|\n)|\Z)",
    re.S,
)
_QUOTED_INPUT = re.compile(r'(invalid input syntax for [\w ]{1,60}:) ".*?"', re.S)
# Of the path only its last piece, so that a text of slashes is read once.
_QUERY = re.compile(r"(/[^\s?/\"'<>]*)\?[^\s\"'<>]+")
# The links that open something to whoever has them, and the callbacks of payments.
_LINK = re.compile(
    r"(/(?:invitations|digest/off|notices/agree|notices/stop|password/reset/key"
    r"|confirm-email)/)[^\s/\"'<>]+"
)
_BEARER = re.compile(r"\b(Bearer|Basic) [\w.~+/=:-]+", re.I)
_KEY = re.compile(r"\b(xu|sk|rk|pk|whsec)_[\w+/=-]{6,}")
# Whoever has the path of an incoming webhook of Slack writes there.
_SLACK = re.compile(r"(hooks\.slack(?:-gov)?\.com/)[^\s\"'<>]+")
# Both sides are as long as RFC 5321 lets them be: a text without any is read once.
ADDRESS = re.compile(
    r"[^\s@<>()\[\]\"',;:=/][^\s@<>()\[\]\",;:=/]{0,63}@[^\s@<>()\[\]\"',;:/\\]{0,254}[^\W_]"
)

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (_QUOTED_ROW, r"\1: [masked]"),
    (_QUOTED_INPUT, r"\1 [masked]"),
    (_LINK, r"\1[masked]"),
    (_QUERY, r"\1"),
    (_BEARER, r"\1 [masked]"),
    (_KEY, r"\1_[masked]"),
    (_SLACK, r"\1[masked]"),
    (ADDRESS, "[address]"),
)


def masked(text: str) -> str:
    """The text without what names or lets in anybody."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text
