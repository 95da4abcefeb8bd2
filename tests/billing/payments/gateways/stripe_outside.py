"""What happens at the local Stripe outside our hands: refunds in its dashboard, disputes.

Each call plays it there and gives the events that Stripe would send, oldest first; the
API of past events has them all.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class OutsideOurHands:
    """Plays the operator in Stripe's dashboard, and the cardholder's bank."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.refunded: dict[str, int] = {}
        self.disputes: dict[str, Json] = {}

    def refund(self, intent: str, cents: int, **more: Any) -> tuple[Json, Json]:
        """A refund in the dashboard: `refund.created`, `charge.refunded`."""
        refund = {
            "id": self.server.new("re"),
            "object": "refund",
            "amount": cents,
            "charge": f"ch_{intent}",
            "currency": "usd",
            "payment_intent": intent,
            "status": "succeeded",
            "reason": "requested_by_customer",
            "failure_reason": None,
            "created": self.server.clock(),
            "metadata": {},
            **more,
        }
        self.server.refunds[refund["id"]] = refund
        created = self.server.tell(refund, "refund.created")
        return created, self.tell_charge(intent)

    def tell_charge(self, intent: str) -> Json:
        """`charge.refunded` with the sum of what was refunded and did not fail."""
        mine = [
            one
            for one in self.server.refunds.values()
            if one["payment_intent"] == intent and one["status"] != "failed"
        ]
        charge = {
            "id": f"ch_{intent}",
            "object": "charge",
            "amount_refunded": sum(one["amount"] for one in mine),
            "currency": "usd",
            "payment_intent": intent,
            "metadata": {},
        }
        event: Json = self.server.tell(charge, "charge.refunded")
        return event

    def fail(self, refund_id: str) -> Json:
        """The card did not take it: `refund.failed`."""
        refund = self.server.refunds[refund_id]
        refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        event: Json = self.server.tell(refund, "refund.failed")
        return event

    def dispute(
        self, intent: str, cents: int, *, status: str = "needs_response"
    ) -> list[Json]:
        """The bank asks back: created, and withdrawn where it is no inquiry."""
        dispute = {
            "id": self.server.new("du"),
            "object": "dispute",
            "amount": cents,
            "charge": f"ch_{intent}",
            "currency": "usd",
            "payment_intent": intent,
            "status": status,
            "reason": "fraudulent",
            "created": self.server.clock(),
            "evidence_details": {"due_by": self.server.clock() + 20 * 86_400},
            "balance_transactions": [],
            "metadata": {},
        }
        self.disputes[dispute["id"]] = dispute
        events = [self.server.tell(dispute, "charge.dispute.created")]
        if not status.startswith("warning_"):
            events.append(self.withdraw(dispute["id"]))
        return events

    def withdraw(self, dispute_id: str) -> Json:
        """The money leaves: `charge.dispute.funds_withdrawn`."""
        dispute = self._moved(dispute_id, -1)
        event: Json = self.server.tell(dispute, "charge.dispute.funds_withdrawn")
        return event

    def close(self, dispute_id: str, status: str) -> list[Json]:
        """The bank decides: closed, and reinstated where it is won."""
        dispute = self.disputes[dispute_id]
        was_taken = bool(dispute["balance_transactions"])
        dispute["status"] = status
        events = [self.server.tell(dispute, "charge.dispute.closed")]
        if status == "won" and was_taken:
            dispute = self._moved(dispute_id, 1)
            events.append(self.server.tell(dispute, "charge.dispute.funds_reinstated"))
        return events

    def _moved(self, dispute_id: str, sign: int) -> Json:
        dispute = self.disputes[dispute_id]
        if dispute["status"].startswith("warning_"):
            dispute["status"] = "needs_response"
        move = {
            "id": self.server.new("txn"),
            "object": "balance_transaction",
            "amount": sign * dispute["amount"],
            "created": self.server.clock(),
            "currency": "usd",
        }
        moves = [*dispute["balance_transactions"], move]
        self.disputes[dispute_id] = dispute = {**dispute, "balance_transactions": moves}
        return dispute

    def past_events(self, query: Json) -> Json:
        """What `GET /v1/events` lists: the newest first, of the types that are asked."""
        types = {value for name, value in query.items() if name.startswith("types")}
        since = int(query["created[gte]"])
        found = [
            event
            for event in reversed(self.server.events)
            if event["type"] in types and event["created"] >= since
        ]
        return {
            "object": "list",
            "data": found,
            "has_more": False,
            "url": "/v1/events",
        }
