"""An authorization is kept once (E4, S7): the first event that presents it has it, every
further one is funded by a check.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from billing.funding.promises import _signer, sign_authorization
from billing.metering.actions.recording import record_usage
from billing.metering.receipts import receipt_of
from billing.models import SpendCap, UsageEvent
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage, event

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture
def record(acme, now):
    """Record events now and give their results."""

    def act(*events, at=now):
        return record_usage(events, organization_id=acme.pk, now=at).results

    return act


@pytest.fixture
def promise(acme, bob, now):
    """Give Bob an authorization."""

    def act(funding="included", member=bob):
        return sign_authorization(
            funding, organization_id=acme.pk, membership_id=member.pk, now=now
        )

    return act


def why(event_id):
    """Why an event was funded as it was."""
    return UsageEvent.objects.get(event_id=event_id).funding_why


def test_s7_one_included_promise_does_not_empty_the_allowance(
    record, promise, bob, now
):
    """Twelve events with one token: without the rule all are included, ten times the
    window.
    """
    token = promise()
    results = record(
        *[event(bob, usd="0.60", at=now, authorization=token) for _ in range(12)]
    )
    assert [result.funding for result in results] == [
        "included",
        "included",
        *["unbilled"] * 10,
    ]


def test_s7_one_extra_usage_promise_passes_a_cap_once(acme, record, promise, bob, now):
    enable_extra_usage(acme)
    record(event(bob, usd="1.10", at=now))  # included usage is gone
    SpendCap.objects.create(
        organization=acme, level="member", membership=bob, amount_nanos=0
    )
    token = promise("extra_usage")
    record(*[event(bob, id=f"e{n}", at=now, authorization=token) for n in range(3)])
    assert [why(f"e{n}") for n in range(3)] == ["promised", "refused", "refused"]


@pytest.mark.parametrize("apart", [False, True])
def test_e4_the_second_event_says_which_one_had_its_authorization(
    record, promise, bob, now, apart
):
    """In the same batch and in a later one, in its result and on its receipt."""
    token = promise()
    first = event(bob, id="first", at=now, authorization=token)
    second = event(bob, id="second", at=now, authorization=token)
    if apart:
        record(first)
        [result] = record(second, at=now + HOUR)
    else:
        _first, result = record(first, second)
    assert (result.status, why("first"), why("second")) == (
        "recorded",
        "promised",
        "checked",
    )
    assert "“first” already" in result.notes[0]
    receipts = [receipt_of(row) for row in UsageEvent.objects.order_by("pk")]
    assert [receipt.promise_used_by for receipt in receipts] == [None, "first"]


def test_e6_the_same_event_again_uses_up_nothing(record, promise, bob, now):
    """A retry is the same event: a duplicate, with its promise kept."""
    sent = event(bob, id="one", at=now, authorization=promise())
    statuses = [record(sent)[0].status, record(sent)[0].status]
    assert (statuses, why("one")) == (["recorded", "duplicate"], "promised")


def test_e4_an_event_that_is_refused_leaves_its_authorization(
    record, promise, bob, now
):
    token = promise()
    invalid = event(bob, usd="1000000", at=now, authorization=token)
    valid = event(bob, id="valid", at=now, authorization=token)
    results = record(invalid, valid)
    assert [result.status for result in results] == ["invalid", "recorded"]
    assert why("valid") == "promised"


def test_e4_promises_of_others_are_others(record, promise, ada, bob, now):
    """Presented by somebody else an authorization is ignored, and stays good."""
    token = promise()
    record(event(ada, id="ada", at=now, authorization=token))
    record(event(bob, id="bob", at=now, authorization=token))
    assert (why("ada"), why("bob")) == ("checked", "promised")


def test_e4_authorizations_given_before_they_were_numbered_stay_good(
    acme, record, bob, now
):
    """For the day in which they end."""
    old = _signer().sign(f"x.{acme.pk}.{bob.pk}.{int(now.timestamp())}")
    results = record(event(bob, at=now, authorization=old))
    assert results[0].funding == "extra_usage"


def test_e4_the_database_refuses_a_second_event_of_one_promise(
    record, promise, bob, now
):
    """Whatever a recorder overlooks."""
    record(event(bob, id="first", at=now, authorization=promise()))
    row = UsageEvent.objects.get()
    row.pk, row.event_id, row._state.adding = None, "second", True
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_e4_the_receipt_by_api_names_the_event_that_had_it(
    client, acme, record, promise, bob, now
):
    token = promise()
    record(event(bob, id="first", at=now, authorization=token))
    record(event(bob, id="second", at=now, authorization=token))
    answer = client.get(
        "/api/v1/events/second",
        headers={"Authorization": f"Bearer {make_api_key(acme, now=now)}"},
    ).json()
    assert answer["authorization_used_by"] == "first"
