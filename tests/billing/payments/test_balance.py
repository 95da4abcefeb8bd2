"""T2, T3, E2, E8: the ledger, what is not yet in it, and the balance a check sees."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from billing.books import differences
from billing.caps.actions.switch import set_extra_usage
from billing.funding.queries import organization_standing, standing_of
from billing.funding.rules.decision import decide
from billing.ledger.actions import roll_up_days
from billing.metering.actions.recording import record_usage
from billing.metering.actions.repricing import reprice_events
from billing.models import (
    BillingAccount,
    EntryKind,
    LedgerEntry,
    ModelPrice,
    PendingCharge,
    UsageEvent,
)
from billing.models.prices import RATE_FIELDS
from billing.prices.actions import correct_price
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.balances import balance, bea_of, buy, turn_on, use_up_included
from tests.factories.usage import event

DAY = dt.timedelta(days=1)


def charge(bolt, amount, *, now, who="mia", at=None):
    """A charge of extra usage; the recorder's answer."""
    sent = event(f"{who}@bolt.example", at=at or now, usd=amount)
    return record_usage([sent], organization_id=bolt.pk, now=now)


@pytest.fixture
def running(bolt, now):
    """Bolt with $100, extra usage on, and nothing included left."""
    turn_on(bolt, now=now)
    use_up_included(bolt)
    return bolt


def kinds(bolt):
    return list(
        LedgerEntry.objects.filter(organization=bolt)
        .order_by("pk")
        .values_list("kind", flat=True)
    )


def test_t2_a_charge_lowers_the_balance_at_once_and_enters_the_ledger_rolled_up_by_member_and_day(
    running, now
):
    for who, amount in (("mia", "10"), ("mia", "5"), ("max", "1.25")):
        charge(running, amount, who=who, now=now)
    assert balance(running) == usd("83.75")
    assert organization_standing(running.pk, now=now).balance_nanos == usd("83.75")
    assert kinds(running) == ["purchase"]
    assert roll_up_days(running.pk, now=now) == 0  # the day is not over
    assert roll_up_days(running.pk, now=now + DAY) == 2
    assert roll_up_days(running.pk, now=now + DAY) == 0
    rows = LedgerEntry.objects.filter(
        organization=running, kind=EntryKind.CHARGE
    ).order_by("pk")
    assert [
        (row.membership.user.name, row.amount_nanos, row.balance_nanos) for row in rows
    ] == [
        ("Mia", -usd(15), usd(85)),
        ("Max", -usd("1.25"), usd("83.75")),
    ]
    assert balance(running) == usd("83.75") and not PendingCharge.objects.exists()
    assert list(differences()) == []


def test_t2_what_was_used_before_a_purchase_stands_before_it_so_that_the_running_balance_is_true(
    running, now
):
    charge(running, "30", now=now)
    buy(running, "50", now=now)
    entries = LedgerEntry.objects.filter(organization=running).order_by("pk")
    assert [(one.kind, one.balance_nanos) for one in entries] == [
        ("purchase", usd(100)),
        ("charge", usd(70)),
        ("purchase", usd(120)),
    ]
    charge(running, "1", now=now)  # the same member and day again
    roll_up_days(running.pk, now=now + DAY)
    assert kinds(running) == ["purchase", "charge", "purchase", "charge"]
    assert list(differences()) == []


def test_t3_the_request_that_empties_the_balance_is_charged_whole_and_the_next_purchase_pays_it(
    running, now
):
    charge(running, "104", now=now)
    assert balance(running) == -usd(4)
    mia = running.memberships.get(user__email="mia@bolt.example")
    decision = decide(standing_of(mia.pk, organization_id=running.pk, now=now))
    assert (decision.allowed, decision.reason) == (False, "balance_exhausted")
    assert [layer.kind for layer in decision.layers if layer.state == "blocks"] == [
        "balance"
    ]
    buy(running, "10", now=now)
    assert balance(running) == usd(6)
    assert decide(standing_of(mia.pk, organization_id=running.pk, now=now)).allowed


def test_t2_included_usage_and_a_postpaid_organization_touch_no_balance(
    acme, bolt, bob, now
):
    turn_on(bolt, now=now)
    charge(bolt, "0.10", now=now)  # included
    record_usage([event(bob, at=now, usd="0.10")], organization_id=acme.pk, now=now)
    assert balance(bolt) == usd(100)
    assert (
        not UsageEvent.objects.filter(prepaid=True).exists()
        and not PendingCharge.objects.exists()
    )


def test_t4_the_answer_says_when_a_charge_crosses_the_threshold_and_not_again_below_it(
    bolt, now
):
    turn_on(bolt, reload=("25", "50"), now=now)
    use_up_included(bolt)
    crossed = [
        charge(bolt, amount, now=now).balance_crossed
        for amount in ("74.99", "0.01", "1", "23.99", "0.01")
    ]
    assert crossed == [
        False,
        True,
        False,
        False,
        True,
    ]  # the threshold, then nothing left


def test_t1_extra_usage_stays_off_until_a_balance_is_paid(bolt, now):
    with pytest.raises(BusinessError) as refused:
        set_extra_usage(bolt, enabled=True, actor=bea_of(bolt), now=now)
    assert (
        refused.value.code == "prepaid_needs_balance"
        and "$0.00" in refused.value.message
    )
    buy(bolt, "25", now=now)
    assert set_extra_usage(
        bolt, enabled=True, actor=bea_of(bolt), now=now
    ).extra_usage_enabled


def test_c6_an_empty_balance_does_not_keep_owners_from_changing_for_whom(running, now):
    charge(running, "100", now=now)
    assert (
        set_extra_usage(
            running, enabled=True, scope="selected", actor=bea_of(running), now=now
        ).scope
        == "selected"
    )


def test_m4_a_corrected_price_enters_the_ledger_as_an_adjustment(running, now):
    charge(running, "10", now=now)
    row = (
        ModelPrice.objects.in_force()
        .filter(provider="anthropic", model="claude-sonnet-5")
        .order_by("-starts_on")
        .first()
    )
    rates = {name: getattr(row, name) for name in RATE_FIELDS} | {
        "output_nanos": row.output_nanos * 9 // 10
    }
    correct_price(
        (row.provider, row.model, row.starts_on, row.context_above),
        rates=rates,
        actor=bea_of(running),
        now=now,
    )
    reprice_events(now=now)
    assert balance(running) == usd(91)
    roll_up_days(running.pk, now=now + DAY)
    amounts = dict(
        LedgerEntry.objects.filter(organization=running).values_list(
            "kind", "amount_nanos"
        )
    )
    assert amounts == {"purchase": usd(100), "adjustment": usd(1), "charge": -usd(10)}
    assert list(differences()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE billing_ledgerentry SET amount_nanos = 1",
        "DELETE FROM billing_ledgerentry",
    ],
)
def test_t2_the_database_refuses_to_change_the_ledger(running, sql):
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert balance(running) == usd(100)


@pytest.mark.parametrize(
    ("damage", "column"),
    [
        (lambda: BillingAccount.objects.update(ledger_nanos=1), "ledger_nanos"),
        (lambda: BillingAccount.objects.update(pending_nanos=1), "pending_nanos"),
        (lambda: PendingCharge.objects.update(amount_nanos=1), "amount_nanos"),
    ],
)
def test_e8_audit_books_finds_a_balance_that_is_not_its_ledger(
    running, now, damage, column
):
    charge(running, "1", now=now)
    assert list(differences()) == []
    damage()
    assert column in {one.column for one in differences()}
