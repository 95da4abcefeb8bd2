"""A quarter of Bolt with a dispute lost, one won, and a refund in the gateway's dashboard,
told by dated assertions (T2, T7, P2); each month closes with clean books.
"""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
import time_machine

from accounts.models import Organization
from billing.books import differences
from billing.documents.closing import close_due
from billing.documents.gateway_events import record_gateway_event
from billing.documents.words.documents import statement_rows
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, Payment, Statement
from billing.payments import processing
from billing.payments.gateways.base import GatewayEvent
from billing.payments.gateways.money_back import DisputeTold, MoneyBack, RefundTold
from config.kit.money import usd
from tests.factories.balances import (
    balance,
    buy,
    make_bolt,
    set_reload,
    turn_on,
    use_up_included,
)
from tests.factories.usage import event

pytestmark = pytest.mark.django_db
numbers = itertools.count(1)


def at(text: str) -> dt.datetime:
    """An instant by UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def uses(bolt: Organization, amount: str, *, when: str) -> None:
    """Mia's extra usage, and what the charge sets going."""
    now = at(when)
    sent = event("mia@bolt.example", at=now, usd=amount, id=f"use-{next(numbers)}")
    [result] = record_usage([sent], organization_id=bolt.pk, now=now).results
    assert result.funding == "extra_usage"
    processing.reload_if_due(bolt.pk, now=now)


def tells(payment: Payment, told: MoneyBack, *, when: str) -> None:
    """The gateway's event, twice."""
    notice = GatewayEvent(
        f"evt_{next(numbers)}",
        "any",
        money_back=told,
        currency="usd",
        gateway_id=payment.gateway_id,
        livemode=False,
    )
    for _time in range(2):
        record_gateway_event(notice, gateway=payment.gateway, now=at(when))


def dispute(
    name: str, cents: int, status: str, *, opened: str, told: str, back: str = ""
) -> DisputeTold:
    """A dispute as it is at `told`; given back at `back`, if that."""
    opened_at = int(at(opened).timestamp())
    return DisputeTold(
        dispute_id=name,
        amount_cents=cents,
        status=status,
        is_inquiry=False,
        reason="fraudulent",
        opened_at=opened_at,
        evidence_due_at=0,
        withdrawn_at=opened_at,
        reinstated_at=int(at(back).timestamp()) if back else 0,
        told_at=int(at(told).timestamp()),
    )


def closes(bolt: Organization, month: str, *, on: str) -> Statement:
    """The month's statement; the books are clean after it."""
    close_due(bolt.pk, now=at(on))
    assert list(differences()) == []
    return Statement.objects.get(organization=bolt, month_on=f"{month}-01")


def rows(statement: Statement) -> dict[str, int]:
    """What moved the balance, in whole dollars."""
    return {label: nanos // usd(1) for label, nanos in statement_rows(statement)}


def may_go_on(bolt: Organization, *, when: str) -> bool:
    """Whether Mia's next request is allowed."""
    mia = bolt.memberships.get(user__email="mia@bolt.example")
    standing = standing_of(mia.pk, organization_id=bolt.pk, now=at(when))
    return decide(standing).allowed


def test_a_quarter_with_a_dispute_lost_one_won_and_a_refund_in_the_dashboard():
    with time_machine.travel(at("2026-10-01T17:00"), tick=False):
        bolt = make_bolt(now=at("2026-10-01T17:00"))
        use_up_included(bolt)
        turn_on(bolt, reload=("25", "50"), now=at("2026-10-01T17:00"))
    first = Payment.objects.get()
    # October: $60 of the $100 is used when the bank takes all of it back.
    uses(bolt, "60", when="2026-10-05T10:00")
    opened = "2026-10-20T10:00"
    tells(
        first, dispute("du_1", 10_000, "open", opened=opened, told=opened), when=opened
    )
    assert balance(bolt) == -usd(60)
    assert not may_go_on(bolt, when="2026-10-20T10:01")
    assert processing.reload_if_due(bolt.pk, now=at("2026-10-20T10:02")) is None
    second = buy(bolt, "200", now=at("2026-10-21T10:00"))  # by hand, with that in mind
    assert balance(bolt) == usd(140) and may_go_on(bolt, when="2026-10-21T10:01")
    october = closes(bolt, "2026-10", on="2026-11-01T15:00")
    assert rows(october) == {"Bought": 300, "Usage": -60, "Disputes": -100}
    assert october.closing_nanos == usd(140)

    # November: the bank decides for its customer; the second purchase is disputed too.
    lost = "2026-11-10T10:00"
    tells(first, dispute("du_1", 10_000, "lost", opened=opened, told=lost), when=lost)
    assert BillingAccount.objects.get(pk=bolt.pk).auto_reload_enabled  # $140 are left
    uses(bolt, "30", when="2026-11-12T10:00")
    opened = "2026-11-15T10:00"
    tells(
        second, dispute("du_2", 8_000, "open", opened=opened, told=opened), when=opened
    )
    assert balance(bolt) == usd(30)
    uses(bolt, "10", when="2026-11-16T10:00")  # at $20: auto-reload waits for the bank
    assert Payment.objects.reloads().count() == 0
    november = closes(bolt, "2026-11", on="2026-12-01T15:00")
    assert rows(november) == {"Usage": -40, "Disputes": -80}
    assert november.closing_nanos == usd(20)

    # December: that one is won, and its money comes back; $40 go back by hand at the
    # gateway, of which it takes back $10 that failed.
    won = "2026-12-03T10:00"
    tells(
        second,
        dispute("du_2", 8_000, "won", opened=opened, told=won, back=won),
        when=won,
    )
    assert balance(bolt) == usd(100)
    told_at = int(at("2026-12-10T10:00").timestamp())
    for name, cents in (("re_1", 3_000), ("re_2", 1_000)):
        refund = RefundTold(name, cents, False, "", "", told_at)
        tells(second, refund, when="2026-12-10T10:00")
    failed = RefundTold("re_2", 1_000, True, "", "declined", told_at + 60)
    tells(second, failed, when="2026-12-11T10:00")
    assert balance(bolt) == usd(70)
    set_reload(bolt, "25", "50", now=at("2026-12-12T10:00"))
    uses(bolt, "50", when="2026-12-15T10:00")  # at $20: it buys again
    december = closes(bolt, "2026-12", on="2027-01-01T15:00")
    assert rows(december) == {
        "Auto-reloads": 50,
        "Usage": -50,
        "Refunds": -40,
        "Disputes": 80,
        "Adjustments": 10,
    }
    assert december.closing_nanos == balance(bolt) == usd(70)
