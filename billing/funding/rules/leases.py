"""Leases: what a client may spend on one answer, without asking again (X5). Pure;
nano-USD.

An answer is given without a row, so nobody knows how many leases are out. That is why
what all members share is leased by parts: each gets a lease on the part of it that their
own part of this month's extra usage is, so that one lease each comes to 5 % of it.
"""

from __future__ import annotations

from billing.funding.rules.headroom import (
    included_left,
    least,
    own_left,
    shared_left,
)
from billing.funding.rules.standing import INCLUDED, Standing

# Headroom is large from this many typical requests on.
LEAST_REQUESTS = 100
MOST_PERCENT = 5
# Of fewer requests nobody can say what is typical.
LEAST_EVENTS = 10


def leased_nanos(standing: Standing, funding: str) -> int | None:
    """What a client may spend before it asks again, for a member whose next request is
    paid by `funding`; None where it has to ask each time.

    Included usage is leased by itself, so that no lease leads from it into extra usage.
    Where nothing limits, it is enough for 100 typical requests.
    """
    typical = typical_nanos(standing)
    if not standing.organization.leases_allowed or typical is None:
        return None
    enough = LEAST_REQUESTS * typical
    left = included_left(standing) if funding == INCLUDED else extra_to_lease(standing)
    if left is None:
        return enough or None
    if left < enough:
        return None
    return left * MOST_PERCENT // 100 or None


def typical_nanos(standing: Standing) -> int | None:
    """What a request of the member costs, rounded up: the mean of this month, whoever
    paid, since the mean times their number is what requests cost together. None while
    there are fewer than ten.
    """
    if standing.events < LEAST_EVENTS:
        return None
    return max(0, -(-standing.cost_nanos // standing.events))


def extra_to_lease(standing: Standing) -> int | None:
    """Extra usage left that is the member's to lease: what their own cap leaves, and of
    what is shared their part. None is unlimited.
    """
    shared = shared_left(standing)
    if shared is None:
        return own_left(standing)
    everybody = standing.organization.spent_nanos
    own = max(0, standing.spent_nanos)
    # After a correction one's own may be more than all together: then nobody can say.
    part = shared * own // everybody if 0 < own <= everybody else 0
    return least(own_left(standing), part)
