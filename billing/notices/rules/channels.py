"""By which channels somebody is told of a kind of notice (N4): what they chose, else the
kind's default. Pure.
"""

from __future__ import annotations

import datetime as dt

PAGE, MAIL = "page", "mail"
BY_MAIL, BY_PAGE, BY_NOTHING = "mail", "page", "nothing"

INCLUDED_USAGE, CHANGEOVER, SOFT_LIMIT = "included_usage", "changeover", "soft_limit"
# The code of a change of who is told.
RECIPIENT_CHANGE = "notices.recipient"
# Kinds that concern one person and what may stop them.
PERSONAL = frozenset(
    {"member_cap", "seat_tier_cap", "group_cap", INCLUDED_USAGE, CHANGEOVER}
)
# A window shorter than this is back before a mail about it is read.
WORTH_A_MAIL = dt.timedelta(days=1)


def is_personal(kind: str) -> bool:
    """Whether a notice of `kind` goes to the person it is about; the others go to owners
    and the recipients they named. A soft limit is an owner's question, of whomever.
    """
    return kind in PERSONAL


def default_told_by(kind: str, *, window_lasts: dt.timedelta | None = None) -> str:
    """How somebody is told who chose nothing; `window_lasts` is the length of the window
    that included usage is about.
    """
    if kind == CHANGEOVER:
        return BY_PAGE
    if kind == INCLUDED_USAGE and window_lasts is not None:
        return BY_PAGE if window_lasts < WORTH_A_MAIL else BY_MAIL
    return BY_MAIL


def channels(told_by: str, *, is_own_block: bool) -> tuple[str, ...]:
    """The channels of a choice. What stops the reader stays on the page, whatever they
    chose.
    """
    if told_by == BY_MAIL:
        return (PAGE, MAIL)
    if told_by == BY_PAGE or is_own_block:
        return (PAGE,)
    return ()


def is_own_block(kind: str, percent: int | None) -> bool:
    """Whether a notice says that its reader is stopped, or goes on at their cap's cost."""
    return kind in PERSONAL and (percent is None or percent >= 100)
