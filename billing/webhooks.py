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
from billing.payments.actions.purchases import settle_payment
from billing.payments.actions.refunds import settle_refund
from billing.payments.gateways import gateway_named
from billing.payments.gateways.base import ForgedNotice, Notice
from config.kit.money import to_cents

log = structlog.get_logger(__name__)


@public
@csrf_exempt  # Stripe sends no token of ours; its signature is the proof
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 once the notice is kept, also when it was before or is about nothing of ours;
    400 when it is forged.
    """
    if not settings.STRIPE_SECRET_KEY:
        raise Http404
    gateway = gateway_named("stripe")
    try:
        notice = gateway.read_notice(
            request.body, request.headers.get("Stripe-Signature", "")
        )
    except ForgedNotice:
        log.warning("stripe.forged_notice")
        return HttpResponse(
            "The signature is not Stripe's.", status=400, content_type="text/plain"
        )
    is_new = take_notice(notice, gateway=gateway.name, now=timezone.now())
    log.info("stripe.notice", id=notice.id, kind=notice.kind, is_new=is_new)
    return HttpResponse(status=200)


def take_notice(notice: Notice, *, gateway: str, now: dt.datetime) -> bool:
    """Work off a verified webhook, in any order, once; whether it was new.

    One transaction: noted and settled or neither.

    One whose amount, currency, customer, id or mode is not what our row says is only
    noted: it is about something else.
    """
    payment, refund = _rows_of(notice, gateway)
    row = payment or refund
    differs = _differences(notice, row) if row else []
    if differs:
        log.warning("notice.ignored", id=notice.id, kind=notice.kind, differs=differs)
        payment = refund = None
    with transaction.atomic():
        _row, is_new = GatewayNotice.objects.get_or_create(
            gateway=gateway,
            notice_id=notice.id,
            defaults={"kind": notice.kind[:80], "received_at": now, "payment": payment},
        )
        if not is_new:
            return False
        take_paid_invoice(
            notice, gateway=gateway, livemode=gateway_named(gateway).livemode, now=now
        )
        if payment is not None and notice.outcome is not None:
            send_soon(settle_payment(payment.pk, notice.outcome, now=now).mails)
        if refund is not None and notice.refund_outcome is not None:
            settle_refund(refund.pk, notice.refund_outcome, now=now)
    return True


def _rows_of(notice: Notice, gateway: str) -> tuple[Payment | None, Refund | None]:
    payments, refunds = Payment.objects.none(), Refund.objects.none()
    if notice.payment_key:
        payments = Payment.objects.filter(gateway=gateway, key=notice.payment_key)
    if notice.refund_key:
        refunds = Refund.objects.filter(
            payment__gateway=gateway, key=notice.refund_key
        ).select_related("payment")
    return payments.first(), refunds.first()


def _differences(notice: Notice, row: Payment | Refund) -> list[str]:
    """What of a notice is not as in our row, by name; none where it is about that very
    payment or refund.
    """
    payment = row.payment if isinstance(row, Refund) else row
    ours: dict[str, object] = {
        "amount_cents": to_cents(row.amount_nanos),
        "currency": "usd",
        "livemode": gateway_named(payment.gateway).livemode,
    }
    if payment.gateway_id:
        ours["gateway_id"] = payment.gateway_id
    if isinstance(row, Payment):
        ours["customer_id"] = row.customer_id
    differs = [name for name, value in ours.items() if getattr(notice, name) != value]
    if isinstance(row, Refund) and row.gateway_id and notice.refund_outcome:
        differs += (
            ["refund"] if notice.refund_outcome.gateway_id != row.gateway_id else []
        )
    return differs
