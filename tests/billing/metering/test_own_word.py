"""A person's own word (X3): their personal token reports, and neither charges above a cap
nor reads what is others'. And what holds where a gateway's count replaces it (X4).
"""

from __future__ import annotations

import dataclasses

import pytest

from accounts.models import ApiKey
from billing.books import differences
from billing.metering.actions.recording import record_usage, record_usage_by_key
from billing.models import IncludedWindow, UsageAdjustment, UsageEvent
from config.kit.money import usd
from tests.factories.people import MembershipFactory, make_token, make_user
from tests.factories.usage import enable_extra_usage, event

pytestmark = pytest.mark.django_db
SEAT = "1.00"  # what Bob's session includes


@pytest.fixture
def own(bob, now):
    """Records by Bob's personal token."""
    digest = ApiKey.digest_of(make_token(bob, now=now))

    def send(*events):
        return record_usage_by_key(events, key_digest=digest, now=now).results

    return send


@pytest.fixture
def gateway(acme, now):
    """Records by a gateway."""

    def send(*events):
        return record_usage(events, organization_id=acme.pk, now=now).results

    return send


def of_request(one, request_id="req_1", **facts):
    return dataclasses.replace(one, request_id=request_id, **facts)


def test_x3_nothing_is_charged_above_a_cap_by_ones_own_word(acme, bob, own, now):
    enable_extra_usage(acme, cap="5")
    sent = [event(bob, at=now, usd=amount) for amount in (SEAT, "5", "9", "9")]
    fundings = [result.funding for result in own(*sent)]
    assert fundings == ["included", "extra_usage", "unbilled", "unbilled"]
    assert list(differences()) == []


def test_x3_one_event_by_ones_own_word_is_no_dearer_than_requests_are(
    acme, bob, own, now
):
    enable_extra_usage(acme)
    [dear, fair] = own(event(bob, at=now, usd="201"), event(bob, at=now, usd="199"))
    assert (dear.status, fair.status) == ("invalid", "recorded")
    assert "$200.00 at most" in dear.errors[0][1]


@pytest.mark.parametrize("source", ["gateway", "import", "telemetry"])
def test_x3_ones_own_word_is_telemetry_whatever_it_says(bob, own, gateway, now, source):
    small = of_request(event(bob, at=now, usd="0.01", id="mine"), source=source)
    assert own(small)[0].status == "recorded"
    assert UsageEvent.objects.get().source == "telemetry"
    whole = of_request(event(bob, at=now, usd="50", id="gateways"))
    assert gateway(whole)[0].cost_nanos == usd("50")
    assert own(small)[0].status == "duplicate"
    assert UsageAdjustment.objects.get().amount_nanos == usd("49.99")


def test_x3_it_reads_neither_cost_nor_id_of_what_is_others(
    alice, bob, own, gateway, now
):
    hers = of_request(event(alice, at=now, usd="7", id="secret"))
    gateway(hers)
    same_id = event(bob, at=now, id="secret")
    same_request = of_request(event(bob, at=now, id="mine"))
    for result in own(same_id, same_request):
        assert (result.status, result.funding, result.cost_nanos, result.notes) == (
            "conflict",
            None,
            None,
            (),
        )


def test_x4_i2_what_a_gateway_counts_more_uses_up_included_usage(
    bob, own, gateway, now
):
    """Else included usage never ends for whoever reports little of it first."""
    fundings = []
    for number in range(3):
        request = f"req_{number}"
        [first] = own(of_request(event(bob, at=now, usd="0.01", id=request), request))
        fundings.append(first.funding)
        gateway(of_request(event(bob, at=now, usd="40", id=f"g{number}"), request))
    assert fundings == ["included", "unbilled", "unbilled"]
    windows = IncludedWindow.objects.all()
    assert {window.used_nanos for window in windows} == {usd("40")}
    assert all(window.exhausted_at == now for window in windows)
    assert list(differences()) == []


def test_x4_i2_what_a_gateway_counts_less_is_left_again(bob, own, gateway, now):
    own(of_request(event(bob, at=now, usd="0.90", id="mine")))
    gateway(of_request(event(bob, at=now, usd="0.20", id="gateways")))
    assert {window.used_nanos for window in IncludedWindow.objects.all()} == {
        usd("0.2")
    }
    assert list(differences()) == []


def test_x2_x4_two_unknown_names_are_two_people(gateway, now):
    sent = event("x@x.example", at=now, usd="1", id="one")
    gateway(dataclasses.replace(sent, source="telemetry"))
    [other] = gateway(event("y@y.example", at=now, usd="9", id="one"))
    assert other.status == "conflict"
    [same] = gateway(event("x@x.example", at=now, usd="3", id="one"))
    assert (same.status, same.cost_nanos) == ("duplicate", usd("3"))
    assert list(differences()) == []


def test_x2_x4_who_became_a_member_since_is_the_one_that_was_unknown(
    acme, gateway, now
):
    sent = of_request(event("new@acme.example", at=now, usd="1", id="one"))
    gateway(dataclasses.replace(sent, source="telemetry"))
    MembershipFactory(organization=acme, user=make_user("new@acme.example", "Neu"))
    [word] = gateway(of_request(event("new@acme.example", at=now, usd="3", id="two")))
    assert (word.status, word.cost_nanos) == ("duplicate", usd("3"))
    assert list(differences()) == []
