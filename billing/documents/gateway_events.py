"""What the gateway tells by events: recorded once each, and settled by the acts of the
rooms.

A door: webhooks come here, and the daily catch-up asks for those that did not come.
"""

from __future__ import annotations

import datetime as dt

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.tasks import send_soon
from billing.documents.actions.gateway_answers import keep_payment, take_paid_invoice
from billing.documents.actions.money_back import take_invoice_money_back
from billing.models import GatewayNotice, Invoice, Payment, Refund
from billing.payments.actions.disputes import take_dispute
from billing.payments.actions.gateway_refunds import take_refund, take_refunded_so_far
from billing.payments.actions.refunds import settle_refund
from billing.payments.actions.settling import settle_payment
from billing.payments.gateways import gateway_named
from billing.payments.gateways.base import (
    GatewayEvent,
    GatewayRefused,
    GatewayUnknown,
)
from billing.payments.gateways.money_back import (
    DisputeTold,
    MoneyBack,
    RefundTold,
    from_json,
    to_json,
)
from config.kit.money import to_cents

log = structlog.get_logger(__name__)
# As long as Stripe keeps its events.
CATCH_UP = dt.timedelta(days=30)


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
    if refund is not None and _is_another(event, refund):
        refund = None
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
        notice, is_new = GatewayNotice.objects.get_or_create(
            gateway=gateway,
            notice_id=event.id,
            defaults={"kind": event.kind[:80], "received_at": now, "payment": payment},
        )
        if is_new:
            _settle(event, payment, refund, gateway=gateway, now=now)
        # Also one that arrived when nobody here could book it (and named no payment).
        if not notice.payment_intent and refund is None and not differing:
            _take_money_back(event, notice, now=now)
    if is_new and (payment is not None or event.payment_id):
        take_waiting(now=now)
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
    keep_payment(event.invoice_id, event.payment_id, gateway=gateway)
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
    return _differing(event, expected)


def _is_another(event: GatewayEvent, refund: Refund) -> bool:
    """Whether an event with our key is about another refund all the same: its ID is not
    ours, or it was made though we gave ours up as never arrived.
    """
    told = event.money_back
    if not isinstance(told, RefundTold):
        return False
    if refund.gateway_id:
        return told.refund_id != refund.gateway_id
    return refund.status == Refund.Status.FAILED


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


# -- money that went back ----------------------------------------------------------------


def _take_money_back(
    event: GatewayEvent, notice: GatewayNotice, *, now: dt.datetime
) -> None:
    """Book what went back of a payment of ours; one that nobody knows yet lets the
    notice wait, since events come in any order.
    """
    told = event.money_back
    if told is None or told.amount_cents <= 0:
        return
    is_usd = event.currency == "usd"
    if not is_usd or event.livemode != gateway_named(notice.gateway).livemode:
        log.warning("gateway_event.ignored", id=event.id, kind=event.kind)
        return
    notice.payment_intent = event.gateway_id[:100]
    if not _take(told, notice, now=now):
        notice.waiting = to_json(told)
    notice.save(update_fields=["payment_intent", "payment", "waiting"])


def _take(told: MoneyBack, notice: GatewayNotice, *, now: dt.datetime) -> bool:
    """Hand news to the room whose payment they are about; whether there is one."""
    if not notice.payment_intent:
        return False
    named = {"gateway": notice.gateway}
    payment = Payment.objects.filter(
        **named, gateway_id=notice.payment_intent, status=Payment.Status.SUCCEEDED
    ).first()
    if payment is not None:
        notice.payment = payment
        send_soon(_take_of_payment(payment.pk, told, now=now))
        return True
    invoices = Invoice.objects.filter(**named, gateway_payment_id=notice.payment_intent)
    invoice = invoices.first()
    if invoice is None:
        return False
    send_soon(take_invoice_money_back(invoice.pk, told, now=now))
    return True


def _take_of_payment(
    payment_id: int, told: MoneyBack, *, now: dt.datetime
) -> list[int]:
    if isinstance(told, DisputeTold):
        return take_dispute(payment_id, told, now=now)
    if isinstance(told, RefundTold):
        return take_refund(payment_id, told, now=now)
    return take_refunded_so_far(payment_id, told, now=now)


def take_waiting(*, now: dt.datetime) -> int:
    """Work off the notices whose payment is known by now; how many."""
    waiting = GatewayNotice.objects.filter(waiting__isnull=False)
    known = waiting.filter(
        payment_intent__in=Payment.objects.filter(
            gateway="stripe", status=Payment.Status.SUCCEEDED
        ).values("gateway_id")
    ) | waiting.filter(
        payment_intent__in=Invoice.objects.exclude(gateway_payment_id="").values(
            "gateway_payment_id"
        )
    )
    return sum(
        _take_one_waiting(pk, now=now)
        for pk in list(known.order_by("pk").values_list("pk", flat=True))
    )


@transaction.atomic
def _take_one_waiting(notice_id: int, *, now: dt.datetime) -> bool:
    """Whoever has the row's lock works it off; the second finds nothing waiting."""
    notice = (
        GatewayNotice.objects.select_for_update(of=("self",))
        .filter(pk=notice_id, waiting__isnull=False)
        .first()
    )
    if notice is None or notice.waiting is None:
        return False
    if not _take(from_json(notice.waiting), notice, now=now):
        return False
    notice.waiting = None
    notice.save(update_fields=["payment", "waiting"])
    return True


def catch_up() -> int:
    """Ask Stripe what it told of money that went back in the last 30 days, and record
    what did not arrive, or arrived when nobody could book it; how many were new.

    Raises nothing where Stripe does not answer or the key may not read events: the next
    day asks again.
    """
    now = timezone.now()
    if settings.PAYMENT_GATEWAY != "stripe":
        return 0
    try:
        events = list(gateway_named("stripe").past_events(since=now - CATCH_UP))
    except (GatewayUnknown, GatewayRefused) as error:
        log.warning("gateway_events.not_asked", error=str(error))
        return 0
    return sum(
        record_gateway_event(event, gateway="stripe", now=now) for event in events
    )
