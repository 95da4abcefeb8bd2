"""What Stripe's events say of refunds and disputes, as our own values.

Reads only. Documented at https://docs.stripe.com/api/refunds/object,
https://docs.stripe.com/api/disputes/object and https://docs.stripe.com/api/events/types.
"""

from __future__ import annotations

from typing import Any

from billing.payments.gateways.money_back import (
    DisputeTold,
    MoneyBack,
    RefundedSoFar,
    RefundTold,
)

REFUND_EVENTS = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
)
WITHDRAWN = "charge.dispute.funds_withdrawn"
REINSTATED = "charge.dispute.funds_reinstated"
DISPUTE_EVENTS = frozenset(
    {
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        WITHDRAWN,
        REINSTATED,
    }
)
# All that may tell that money went back: what the daily catch-up asks for.
MONEY_BACK_EVENTS = REFUND_EVENTS | DISPUTE_EVENTS | {"charge.refunded"}
CLOSED = {
    "won": "won",
    "lost": "lost",
    "warning_closed": "won",  # the bank asked, and took nothing
    "prevented": "won",
}


def money_back_of(event: Any) -> MoneyBack | None:
    """What a verified event says of money that went back; None where it is about
    something else.
    """
    about = event.data.object
    told_at = int(getattr(event, "created", 0) or 0)
    if event.type in REFUND_EVENTS:
        return _refund(about, told_at)
    if event.type == "charge.refunded":
        cents = int(getattr(about, "amount_refunded", 0) or 0)
        return RefundedSoFar(about.id, cents, told_at)
    if event.type in DISPUTE_EVENTS:
        return _dispute(about, event.type, told_at)
    return None


def _refund(refund: Any, told_at: int) -> RefundTold:
    return RefundTold(
        refund_id=refund.id,
        amount_cents=int(getattr(refund, "amount", 0) or 0),
        is_failed=getattr(refund, "status", "") in ("failed", "canceled"),
        reason=str(getattr(refund, "reason", None) or "")[:60],
        failure=str(getattr(refund, "failure_reason", None) or "")[:60],
        told_at=told_at,
    )


def _dispute(dispute: Any, kind: str, told_at: int) -> DisputeTold:
    status = str(getattr(dispute, "status", "") or "")
    opened_at = int(getattr(dispute, "created", 0) or 0) or told_at
    evidence = getattr(dispute, "evidence_details", None)
    return DisputeTold(
        dispute_id=dispute.id,
        amount_cents=int(getattr(dispute, "amount", 0) or 0),
        status=CLOSED.get(status, "open"),
        is_inquiry=status.startswith("warning_"),
        reason=str(getattr(dispute, "reason", None) or "")[:60],
        opened_at=opened_at,
        evidence_due_at=int(getattr(evidence, "due_by", 0) or 0),
        withdrawn_at=_withdrawn_at(dispute, status, kind, opened_at, told_at),
        reinstated_at=_reinstated_at(dispute, kind, opened_at, told_at),
        told_at=told_at,
    )


def _withdrawn_at(
    dispute: Any, status: str, kind: str, opened_at: int, told_at: int
) -> int:
    """The event says so, or the dispute's own record of money, or its status: all but an
    inquiry, and what was prevented, take the money when they open.
    """
    moves = [one for one in _moves(dispute) if one[0] < 0]
    if moves:
        return max(*(at for _cents, at in moves), opened_at, 1)
    if kind == WITHDRAWN:
        return max(told_at, opened_at, 1)
    takes_nothing = status.startswith("warning_") or status in ("", "prevented")
    return 0 if takes_nothing else max(opened_at, 1)


def _reinstated_at(dispute: Any, kind: str, opened_at: int, told_at: int) -> int:
    moves = [at for cents, at in _moves(dispute) if cents > 0]
    if moves:
        return max(*moves, opened_at, 1)
    return max(told_at, opened_at, 1) if kind == REINSTATED else 0


def _moves(dispute: Any) -> list[tuple[int, int]]:
    """The dispute's own record: what it did to Stripe's balance, and when. Its currency
    may be another one, so only the sign counts.
    """
    listed = getattr(dispute, "balance_transactions", None) or []
    return [
        (int(getattr(one, "amount", 0) or 0), int(getattr(one, "created", 0) or 0))
        for one in listed
    ]
