"""What channels are told of payments (N3), inside the transaction that settles them.

Amounts in payloads are decimal strings of USD with 9 places.
"""

from __future__ import annotations

import datetime as dt

from accounts.models import Organization
from billing.ledger.actions import account_of
from billing.models import EventType, Payment
from billing.notices.actions.publishing import publish
from config.kit.dates import rfc3339
from config.kit.money import to_decimal_text


def publish_paid(locked: Organization, payment: Payment, *, now: dt.datetime) -> None:
    """A purchase or a reload went through, once."""
    is_reload = payment.purpose == Payment.Purpose.RELOAD
    publish(
        locked,
        EventType.RELOAD_SUCCEEDED if is_reload else EventType.PURCHASE_SUCCEEDED,
        key=f"payment:{payment.pk}:paid",
        data={
            "amount_usd": to_decimal_text(payment.amount_nanos),
            "balance_usd": to_decimal_text(account_of(locked).balance_nanos),
        },
        now=now,
    )


def publish_decline(
    locked: Organization, payment: Payment, *, now: dt.datetime
) -> None:
    """A reload was declined, counted in its series before; when it is tried again."""
    account = account_of(locked)
    retry_at = account.reload_retry_at if account.auto_reload_enabled else None
    publish(
        locked,
        EventType.RELOAD_DECLINED,
        key=f"payment:{payment.pk}:declined",
        data={
            "amount_usd": to_decimal_text(payment.amount_nanos),
            "code": payment.decline_code,
            "retry_at": rfc3339(retry_at),
        },
        now=now,
    )
