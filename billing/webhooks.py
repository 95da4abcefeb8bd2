"""Where Stripe tells what became of payments, refunds and invoices: signed, in any
order, more than once.
"""

from __future__ import annotations

import datetime as dt

import structlog
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.access import public
from accounts.tasks import send_soon
from billing.documents.actions.gateway_answers import take_paid_invoice
from billing.models import GatewayNotice, Payment, Refund
from billing.payments.actions.refunds import settle_refund
from billing.payments.actions.settling import settle_payment
from billing.payments.gateways import gateway_named
from billing.payments.gateways.base import ForgedEvent, GatewayEvent
from config.kit.money import to_cents

log = structlog.get_logger(__name__)


@public
@csrf_exempt  # Stripe sends no token of ours; its signature is the proof
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 once the event is recorded, also when it was before or is about nothing of
    ours; 400 when it is forged.
    """
    if not settings.STRIPE_SECRET_KEY:
        raise Http404
    gateway = gateway_named("stripe")
    try:
        event = gateway.read_event(
            request.body, request.headers.get("Stripe-Signature", "")
        )
    except ForgedEvent:
        log.warning("gateway_event.forged")
        return HttpResponse(
            "The signature is not Stripe's.", status=400, content_type="text/plain"
        )
    is_new = record_gateway_event(event, gateway=gateway.name, now=timezone.now())
    log.info("gateway_event.recorded", id=event.id, kind=event.kind, is_new=is_new)
    return HttpResponse(status=200)


def record_gateway_event(
    event: GatewayEvent, *, gateway: str, now: dt.datetime
) -> bool:
    """Record a verified event and settle what it is about; whether it was new.

    Events come in any order and more than once, also at once: the unique id of the
    recorded row decides who settles. Recording and settling are one transaction, so an
    event that fails half-way comes again whole.

    One whose amount, currency, customer, id or mode is not what our row says is about
    something else: it is recorded and settles nothing.
    """
    payment = _payment_of(event, gateway)
    refund = _refund_of(event, gateway)
    differing = list[str]()
    if payment is not None:
        differing += _differing_from_payment(event, payment)
    if refund is not None:
        differing += _differing_from_refund(event, refund)
    if differing:
        log.warning(
            "gateway_event.ignored", id=event.id, kind=event.kind, differs=differing
        )
        payment = None
        refund = None
    with transaction.atomic():
        _row, is_new = GatewayNotice.objects.get_or_create(
            gateway=gateway,
            notice_id=event.id,
            defaults={"kind": event.kind[:80], "received_at": now, "payment": payment},
        )
        if is_new:
            _settle(event, payment, refund, gateway=gateway, now=now)
    return is_new


def _settle(
    event: GatewayEvent,
    payment: Payment | None,
    refund: Refund | None,
    *,
    gateway: str,
    now: dt.datetime,
) -> None:
    take_paid_invoice(
        event, gateway=gateway, livemode=gateway_named(gateway).livemode, now=now
    )
    if payment is not None and event.outcome is not None:
        send_soon(settle_payment(payment.pk, event.outcome, now=now).mails)
    if refund is not None and event.refund_outcome is not None:
        settle_refund(refund.pk, event.refund_outcome, now=now)


def _payment_of(event: GatewayEvent, gateway: str) -> Payment | None:
    """Our payment that an event names by its key."""
    if not event.payment_key:
        return None
    return Payment.objects.filter(gateway=gateway, key=event.payment_key).first()


def _refund_of(event: GatewayEvent, gateway: str) -> Refund | None:
    """Our refund that an event names by its key, with its payment."""
    if not event.refund_key:
        return None
    refunds = Refund.objects.select_related("payment")
    return refunds.filter(payment__gateway=gateway, key=event.refund_key).first()


def _differing_from_payment(event: GatewayEvent, payment: Payment) -> list[str]:
    """The names of what an event says otherwise than our payment; empty: it is about
    that very payment.
    """
    expected = _expected(payment, amount_nanos=payment.amount_nanos)
    expected["customer_id"] = payment.customer_id
    return _differing(event, expected)


def _differing_from_refund(event: GatewayEvent, refund: Refund) -> list[str]:
    """The names of what an event says otherwise than our refund; empty: it is about
    that very refund.
    """
    expected = _expected(refund.payment, amount_nanos=refund.amount_nanos)
    differing = _differing(event, expected)
    outcome = event.refund_outcome
    if outcome and refund.gateway_id and outcome.gateway_id != refund.gateway_id:
        differing.append("refund")
    return differing


def _expected(payment: Payment, *, amount_nanos: int) -> dict[str, object]:
    """What an event about a payment, or a refund of it, has to say, by field."""
    expected: dict[str, object] = {
        "amount_cents": to_cents(amount_nanos),
        "currency": "usd",
        "livemode": gateway_named(payment.gateway).livemode,
    }
    if payment.gateway_id:
        expected["gateway_id"] = payment.gateway_id
    return expected


def _differing(event: GatewayEvent, expected: dict[str, object]) -> list[str]:
    return [name for name, value in expected.items() if getattr(event, name) != value]
