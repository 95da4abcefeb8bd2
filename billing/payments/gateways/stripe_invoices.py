"""Our invoices at Stripe, so that owners can pay them online: made, credited, voided
and settled there as here (P3).

Each call carries a key that names our row, and looks at what is there first, so that it
can be repeated after any failure. Stripe sends no mail of its own: ours has gone out.
Documented at https://docs.stripe.com/api/invoices.
"""

from __future__ import annotations

from typing import Any

import stripe

from billing.payments.gateways.base import (
    GatewayForgot,
    GatewayRefused,
    GatewayUnknown,
    InvoiceOrder,
    SentInvoice,
)
from billing.payments.gateways.stripe_answers import payment_of_invoice, text_of


def sync_invoice(client: stripe.StripeClient, order: InvoiceOrder) -> SentInvoice:
    """Bring Stripe's invoice to what ours is, making it where there is none."""
    try:
        return _sync(client.v1, order)
    except stripe.InvalidRequestError as error:
        if error.http_status == 409:
            raise GatewayUnknown(str(error)) from error
        is_gone = error.code == "resource_missing"
        raise (GatewayForgot if is_gone else GatewayRefused)(
            str(error.user_message or error)
        ) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise GatewayRefused(str(error.user_message or error)) from error
    except stripe.StripeError as error:
        raise GatewayUnknown(f"{type(error).__name__}: {error}") from error


def _sync(api: Any, order: InvoiceOrder) -> SentInvoice:
    theirs = (
        api.invoices.retrieve(order.gateway_id)
        if order.gateway_id
        else _find(api, order)
    )
    if theirs is None:
        if order.status != "open":
            return SentInvoice("", "", False)  # never sent, and nothing to pay any more
        theirs = api.invoices.create(
            _new(order), options={"idempotency_key": f"{order.key}-create"}
        )
    if theirs.status == "draft":
        theirs = _finalize(api, theirs, order)
    if theirs.status == "open":
        theirs = _follow(api, theirs, order)
    return SentInvoice(
        theirs.id,
        str(getattr(theirs, "hosted_invoice_url", "") or ""),
        _took_money(theirs),
        _payment_of(api, theirs),
    )


def _payment_of(api: Any, theirs: Any) -> str:
    """The PaymentIntent behind money that was taken, by which it is told that it went
    back.
    """
    if not _took_money(theirs):
        return ""
    return payment_of_invoice(theirs) or payment_of_invoice(
        api.invoices.retrieve(theirs.id, {"expand": ["payments"]})
    )


def _took_money(theirs: Any) -> bool:
    """Paid there, and neither by our word for it nor by credit notes alone."""
    credited = int(getattr(theirs, "pre_payment_credit_notes_amount", 0) or 0)
    off_stripe = int(getattr(theirs, "amount_paid_off_stripe", 0) or 0)
    return bool(theirs.status == "paid" and credited < theirs.total and not off_stripe)


def _find(api: Any, order: InvoiceOrder) -> Any:
    """An invoice made before whose answer was lost, by our key in its metadata."""
    listed = api.invoices.list({"customer": order.customer_id, "limit": 100})
    return next(
        (
            one
            for one in listed.auto_paging_iter()
            if text_of(one.metadata, "invoice_key") == order.key
        ),
        None,
    )


def _new(order: InvoiceOrder) -> dict[str, Any]:
    return {
        "customer": order.customer_id,
        "collection_method": "send_invoice",
        "due_date": int(order.due_at.timestamp()),
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "number": order.number,
        "currency": "usd",
        "description": order.description,
        "metadata": {"invoice_key": order.key},
    }


def _finalize(api: Any, theirs: Any, order: InvoiceOrder) -> Any:
    if not theirs.total:
        item = {
            "customer": order.customer_id,
            "invoice": theirs.id,
            "amount": order.amount_cents,
            "currency": "usd",
            "description": order.description,
        }
        api.invoice_items.create(item, options={"idempotency_key": f"{order.key}-item"})
    options = {"idempotency_key": f"{order.key}-finalize"}
    return api.invoices.finalize_invoice(
        theirs.id, {"auto_advance": False}, options=options
    )


def _follow(api: Any, theirs: Any, order: InvoiceOrder) -> Any:
    """What became of it here: credited, void, or paid another way."""
    if order.status == "void":
        return api.invoices.void_invoice(theirs.id)
    credited = int(getattr(theirs, "pre_payment_credit_notes_amount", 0) or 0)
    if order.credited_cents > credited:
        note = {
            "invoice": theirs.id,
            "amount": order.credited_cents - credited,
            "memo": order.number,
        }
        api.credit_notes.create(
            note,
            options={"idempotency_key": f"{order.key}-credited-{order.credited_cents}"},
        )
        theirs = api.invoices.retrieve(theirs.id)
    if order.status == "paid" and theirs.status == "open":
        return api.invoices.pay(theirs.id, {"paid_out_of_band": True})
    return theirs
