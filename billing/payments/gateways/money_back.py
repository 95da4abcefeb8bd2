"""What a gateway tells of money that went back, or may: as plain values that can wait in
a row as JSON until the payment they are about is known.

Amounts are whole cents of USD, times seconds since 1970 (UTC).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any


def moment_told(seconds: int) -> dt.datetime:
    """A gateway's time, seconds since 1970, as an aware UTC instant."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


@dataclass(frozen=True, slots=True)
class RefundTold:
    """One refund, by its ID; `reason` and `failure` are the gateway's codes."""

    refund_id: str
    amount_cents: int
    is_failed: bool
    reason: str
    failure: str
    told_at: int


@dataclass(frozen=True, slots=True)
class RefundedSoFar:
    """What of a charge was refunded so far; not by which refunds."""

    charge_id: str
    amount_cents: int
    told_at: int


@dataclass(frozen=True, slots=True)
class DisputeTold:
    """A dispute as it is at that moment: `status` open, won or lost.

    `is_inquiry`: the bank only asks. `withdrawn_at`, `reinstated_at`: when the money was
    taken or given back, as far as this says so; 0: it does not.
    """

    dispute_id: str
    amount_cents: int
    status: str
    is_inquiry: bool
    reason: str
    opened_at: int
    evidence_due_at: int
    withdrawn_at: int
    reinstated_at: int
    told_at: int


MoneyBack = RefundTold | RefundedSoFar | DisputeTold
_KINDS: dict[str, type[MoneyBack]] = {
    "refund": RefundTold,
    "refunded": RefundedSoFar,
    "dispute": DisputeTold,
}


def to_json(told: MoneyBack) -> dict[str, Any]:
    """What `from_json` reads."""
    [kind] = [name for name, one in _KINDS.items() if isinstance(told, one)]
    return {"kind": kind, **asdict(told)}


def from_json(kept: dict[str, Any]) -> MoneyBack:
    """What `to_json` wrote."""
    facts = dict(kept)
    return _KINDS[facts.pop("kind")](**facts)
