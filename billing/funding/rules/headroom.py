"""How much a member may still spend before a check refuses (X1). Pure; nano-USD.

It is the other side of `decision`: what is left reaches zero exactly where that refuses.
"""

from __future__ import annotations

from billing.funding.rules.confirmation import waits_for_yes
from billing.funding.rules.standing import Cap, Standing


def extra_left(standing: Standing) -> int | None:
    """Extra usage left: the least of the member's cap, the organization's and the
    balance, never below zero; None is unlimited.

    Nothing is left where extra usage is not on for the member, or waits for their yes.
    """
    return 0 if waits_for_yes(standing) else extra_within_caps(standing)


def extra_within_caps(standing: Standing) -> int | None:
    """The same with the member's yes, whether it is asked for or not (N5)."""
    if not standing.is_enabled:
        return 0
    return least(own_left(standing), shared_left(standing))


def all_left(standing: Standing) -> int | None:
    """What may be spent before a check refuses: included usage first, then extra; None is
    unlimited.
    """
    extra = extra_left(standing)
    return None if extra is None else extra + (included_left(standing) or 0)


def own_left(standing: Standing) -> int | None:
    """What the member's effective cap leaves; None without one."""
    return cap_left(standing.cap, standing.spent_nanos)


def shared_left(standing: Standing) -> int | None:
    """What all members of the organization may still spend together: its cap and its
    balance; None is unlimited.
    """
    organization = standing.organization
    balance = organization.balance_nanos
    return least(
        cap_left(organization.cap, organization.spent_nanos),
        None if balance is None else max(0, balance),
    )


def included_left(standing: Standing) -> int | None:
    """Included usage left in the tightest window; None on a plan without windows.

    A seat that has none includes nothing.
    """
    if not standing.organization.has_windows:
        return None
    lefts = [window.limit_nanos - window.used_nanos for window in standing.windows]
    return max(0, min(lefts, default=0))


def cap_left(cap: Cap, spent_nanos: int) -> int | None:
    """What a cap leaves, never below zero; None is unlimited."""
    if cap.amount_nanos is None:
        return None
    return max(0, cap.amount_nanos - spent_nanos)


def least(*lefts: int | None) -> int | None:
    """The smallest of what several limits leave; None where none of them limits."""
    return min((left for left in lefts if left is not None), default=None)
