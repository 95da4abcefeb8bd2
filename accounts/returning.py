"""What holds again for somebody who comes back: whoever brings them back is told.

Apps above keep more about a member than a role and a seat, such as a spend cap, and it
outlives a removal. Each registers what to say of its own when it starts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from accounts.models import Membership

HoldsAgain = Callable[[Membership, dt.datetime], list[str]]
_TOLD: list[HoldsAgain] = []


def register_what_holds(tell: HoldsAgain) -> HoldsAgain:
    """Mark the function that says, in sentences, what holds again for a member."""
    _TOLD.append(tell)
    return tell


def what_holds_again(member: Membership, *, now: dt.datetime) -> str:
    """All of it in the active language; empty where nothing outlived the removal."""
    return " ".join(sentence for tell in _TOLD for sentence in tell(member, now))
