"""bugs.md row 4, T2: refunds made at the gateway, in every order in which they can be told:
the balance, and its twin, what was refunded of an invoice.
"""

from __future__ import annotations

import itertools
import os
import random

import pytest
from django.db import transaction

from billing.books import differences
from billing.documents.actions.money_back import take_invoice_money_back
from billing.documents.queries.documents import refunded_nanos
from billing.models import Invoice, LedgerEntry, Payment
from billing.payments.actions.gateway_refunds import take_refund, take_refunded_so_far
from billing.payments.gateways.money_back import RefundedSoFar, RefundTold
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.balances import balance, buy, make_bolt
from tests.factories.documents import CLOSES, close_november, use_november

SOME_SECOND = int(NOW.timestamp())
SOME = 24


def made(name, cents, *, at):
    """`refund.created`."""
    return RefundTold(f"re_{name}", cents, False, "", "", SOME_SECOND + at)


def failed(name, cents, *, at):
    """`refund.failed`."""
    return RefundTold(f"re_{name}", cents, True, "", "expired_card", SOME_SECOND + at)


def charged(cents, *, at):
    """`charge.refunded`."""
    return RefundedSoFar("ch_1", cents, SOME_SECOND + at)


def in_one_second(news):
    return [one.__class__(**{**_fields(one), "told_at": SOME_SECOND}) for one in news]


def _fields(told):
    return {name: getattr(told, name) for name in told.__slots__}


A_FAILS_THEN_B = [
    made("A", 3_000, at=10),
    charged(3_000, at=11),
    failed("A", 3_000, at=15),
    made("B", 2_000, at=20),
    charged(2_000, at=21),
]
B_BEFORE_A_FAILS = [
    made("A", 3_000, at=10),
    charged(3_000, at=11),
    made("B", 2_000, at=20),
    charged(5_000, at=21),
    failed("A", 3_000, at=30),
]
EQUAL = [
    made("A", 3_000, at=10),
    charged(3_000, at=11),
    made("B", 3_000, at=20),
    charged(6_000, at=21),
    failed("A", 3_000, at=30),
]
EQUAL_A_FAILS_THEN_B = [
    made("A", 3_000, at=10),
    charged(3_000, at=11),
    failed("A", 3_000, at=15),
    made("B", 3_000, at=20),
    charged(3_000, at=21),
]
# What is told, and what of it holds in the end, in cents.
NEWS = {
    "the last sum alone": (
        [
            charged(6_000, at=20),
            failed("A", 3_000, at=30),
            made("B", 3_000, at=20),
            made("A", 3_000, at=10),
        ],
        3_000,
    ),
    "the last sum alone, amounts differ": (
        [
            charged(5_000, at=20),
            failed("A", 3_000, at=30),
            made("B", 2_000, at=20),
            made("A", 3_000, at=10),
        ],
        2_000,
    ),
    "A fails, then B": (A_FAILS_THEN_B, 2_000),
    "A fails, then B, equal": (EQUAL_A_FAILS_THEN_B, 3_000),
    "B before A fails": (B_BEFORE_A_FAILS, 2_000),
    "B before A fails, equal": (EQUAL, 3_000),
    "A fails, then B, in one second": (in_one_second(A_FAILS_THEN_B), 2_000),
    "equal, in one second": (in_one_second(EQUAL), 3_000),
    "both fail": ([*EQUAL[:3], failed("B", 3_000, at=25), EQUAL[4]], 0),
    "three, one fails": (
        [
            made("A", 3_000, at=10),
            made("B", 2_000, at=20),
            made("C", 1_000, at=25),
            charged(6_000, at=26),
            failed("B", 2_000, at=30),
        ],
        4_000,
    ),
    "nobody tells of A's making": (
        [
            charged(3_000, at=11),
            charged(5_000, at=21),
            made("B", 2_000, at=20),
            failed("A", 3_000, at=30),
        ],
        2_000,
    ),
    "nobody tells of the making of B, which comes after A failed": (
        [failed("A", 3_000, at=15), charged(3_000, at=20)],
        3_000,
    ),
}


@pytest.fixture
def purchase(db):
    """$123.45 bought, none of it used."""
    bolt = make_bolt(now=NOW)
    return buy(bolt, "123.45", now=NOW)


@pytest.fixture
def invoice(acme):
    """Acme's November."""
    use_november(acme, at=NOW)
    return close_november(acme)


def tell_of_purchase(purchase: Payment, told) -> None:
    take = take_refund if isinstance(told, RefundTold) else take_refunded_so_far
    take(purchase.pk, told, now=CLOSES)


def orders(news):
    """Orders of what is told, and then all of it once more: as told, from the end, and
    some of all others, each time the same ones. ALL_ORDERS=1 tries every one.
    """
    every = list(itertools.permutations(news))
    if len(every) > SOME and not os.environ.get("ALL_ORDERS"):
        few = random.Random(len(news)).sample(every, SOME)
        every = [tuple(news), tuple(reversed(news)), *few]
    for order in every:
        yield [*order, *news]


@pytest.mark.parametrize("told", NEWS)
def test_row_4_a_balance_is_the_same_in_whatever_order_its_refunds_are_told(
    purchase, told
):
    news, held_cents = NEWS[told]
    wrong = {}
    for order in orders(news):
        with transaction.atomic():
            for one in order:
                tell_of_purchase(purchase, one)
            left = balance(purchase.organization)
            entries = sum(LedgerEntry.objects.values_list("amount_nanos", flat=True))
            if {left, entries} != {usd("123.45") - usd(held_cents) // 100}:
                wrong[tuple(order)] = left
            transaction.set_rollback(True)
    assert not wrong
    for one in reversed(news):
        tell_of_purchase(purchase, one)
    assert list(differences()) == []


@pytest.mark.parametrize("told", NEWS)
def test_row_4_what_was_refunded_of_an_invoice_is_the_same_in_whatever_order(
    invoice, told
):
    news, held_cents = NEWS[told]
    wrong = {}
    for order in orders(news):
        with transaction.atomic():
            for one in order:
                take_invoice_money_back(invoice.pk, one, now=CLOSES)
            back = refunded_nanos(Invoice.objects.get(pk=invoice.pk))
            if back != usd(held_cents) // 100:
                wrong[tuple(order)] = back
            transaction.set_rollback(True)
    assert not wrong
