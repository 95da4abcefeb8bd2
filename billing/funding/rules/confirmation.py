"""Going on is a choice (N5): when extra usage begins, and how long a member's yes to it
holds. Pure; times are UTC instants.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from billing.funding.rules.standing import Standing

ConfirmedFor = Literal["window", "month"]


def waits_for_yes(standing: Standing) -> bool:
    """Whether extra usage has to wait until the member says yes to it."""
    return standing.organization.asks_first and not standing.is_confirmed


def confirm_as_of(standing: Standing, moment: dt.datetime) -> None:
    """Make the standing that of somebody whose latest yes holds at `moment`, or does not."""
    until_at = standing.confirmed_until
    standing.is_confirmed = until_at is not None and moment < until_at


def ends_of_yes(standing: Standing) -> dict[ConfirmedFor, dt.datetime]:
    """Until when a yes would hold, by what the member may choose.

    “window” is the latest reset of the windows that are used up; it is no choice where
    none of them resets, as with a seat that includes nothing.
    """
    ends: dict[ConfirmedFor, dt.datetime] = {}
    if standing.included_resets_at is not None:
        ends["window"] = standing.included_resets_at
    ends["month"] = standing.organization.month.end
    return ends


def extra_usage_begins(standing: Standing) -> bool:
    """Whether the next request is the first that extra usage pays since included usage
    was used up: the change-over, of which a member is told once.

    A seat that includes nothing has one a month.
    """
    if not standing.organization.has_windows:
        return False
    used_up = [one for one in standing.windows if one.is_exhausted and one.opened_at]
    if not used_up:
        return standing.spent_nanos == 0
    return not any(window.extra_has_begun for window in used_up)
