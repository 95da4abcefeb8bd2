"""Where Stripe tells what became of payments, refunds, disputes and invoices: signed, in
any order, more than once.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.access import public
from billing.documents.gateway_events import record_gateway_event
from billing.payments.gateways import gateway_named
from billing.payments.gateways.base import ForgedEvent, UnreadableEvent

log = structlog.get_logger(__name__)


@public
@csrf_exempt  # Stripe sends no token of ours; its signature is the proof
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 once the event is recorded, also when it was before or is about nothing of
    ours; 400 when it is forged or no event at all.
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
    except UnreadableEvent as error:
        log.error("gateway_event.unreadable", why=str(error))
        return HttpResponse(
            "This is not an event.", status=400, content_type="text/plain"
        )
    is_new = record_gateway_event(event, gateway=gateway.name, now=timezone.now())
    log.info("gateway_event.recorded", id=event.id, kind=event.kind, is_new=is_new)
    return HttpResponse(status=200)
