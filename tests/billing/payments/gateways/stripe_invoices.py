"""The local Stripe's invoices: drafts, items, finalizing, paying, voiding, credit notes."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class StripeError(Exception):
    """An answer with a status other than 200."""

    def __init__(self, status: int, **error: Any) -> None:
        self.status, self.body = status, {"error": error}


class LocalInvoices:
    """What the server keeps of invoices; `pay` plays the owner on the hosted page."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.kept: dict[str, Json] = {}
        self.paid_by: dict[str, str] = {}

    def pay(self, invoice_id: str) -> Json:
        """The owner pays on the hosted page; the webhook that tells of it."""
        invoice = self.kept[invoice_id]
        invoice["status"] = "paid"
        self.paid_by[invoice_id] = self.server.new("pi")
        event: Json = self.server.tell(invoice, "invoice.paid")
        return event

    def post(self, kind: str, rest: list[str], data: Json) -> Json:
        """A call that changes something."""
        if kind == "invoices" and not rest:
            return self._create(data)
        if kind == "invoiceitems":
            invoice = self._open(data["invoice"], "draft")
            invoice["total"] += int(data["amount"])
            return {"id": self.server.new("ii"), "object": "invoiceitem", **data}
        if kind == "credit_notes":
            invoice = self._open(data["invoice"], "open")
            invoice["pre_payment_credit_notes_amount"] += int(data["amount"])
            if invoice["pre_payment_credit_notes_amount"] >= invoice["total"]:
                invoice["status"] = "paid"
            return {"id": self.server.new("cn"), "object": "credit_note", **data}
        before, after = {
            "finalize": ("draft", "open"),
            "void": ("open", "void"),
            "pay": ("open", "paid"),
        }[rest[1]]
        invoice = self._open(rest[0], before)
        invoice["status"] = after
        if rest[1] == "pay":
            invoice["amount_paid_off_stripe"] = invoice["total"]
        if after == "open":
            invoice["hosted_invoice_url"] = f"{self.server.url}/i/{invoice['id']}"
        return invoice

    def _create(self, data: Json) -> Json:
        if any(one["number"] == data["number"] for one in self.kept.values()):
            raise StripeError(
                400,
                type="invalid_request_error",
                message="Invoice number must be unique.",
            )
        invoice = {
            "id": self.server.new("in"),
            "object": "invoice",
            "status": "draft",
            "total": 0,
            "currency": data["currency"],
            "customer": data["customer"],
            "number": data["number"],
            "metadata": data["metadata"],
            "hosted_invoice_url": None,
            "pre_payment_credit_notes_amount": 0,
            "auto_advance": data["auto_advance"],
        }
        self.kept[str(invoice["id"])] = invoice
        return invoice

    def _open(self, invoice_id: str, status: str) -> Json:
        invoice = self.kept[invoice_id]
        if invoice["status"] != status:
            raise StripeError(
                400,
                type="invalid_request_error",
                message=f"This invoice is {invoice['status']}.",
            )
        return invoice

    def get(self, rest: list[str], query: Json) -> Json:
        """One invoice, or those of a customer."""
        if rest:
            if rest[0] not in self.kept:
                raise StripeError(
                    404,
                    type="invalid_request_error",
                    code="resource_missing",
                    message="No such invoice.",
                )
            return self.kept[rest[0]] | self._payments(rest[0], query)
        mine = [
            one
            for one in self.kept.values()
            if one["customer"] == query.get("customer")
        ]
        return {
            "object": "list",
            "data": mine,
            "has_more": False,
            "url": "/v1/invoices",
        }

    def _payments(self, invoice_id: str, query: Json) -> Json:
        """Which payments paid it, where that is asked for: since 2025-03-31 Stripe says
        it nowhere else on an invoice.
        """
        if query.get("expand[0]") != "payments" or invoice_id not in self.paid_by:
            return {}
        intent = self.paid_by[invoice_id]
        payment = {"type": "payment_intent", "payment_intent": intent}
        one = {"object": "invoice_payment", "status": "paid", "payment": payment}
        return {"payments": {"object": "list", "data": [one]}}
