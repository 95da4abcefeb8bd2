"""What people are told at is the organization's own to change (N1, N4)."""

from __future__ import annotations

import pytest

from accounts.audit import audit_row
from accounts.models import AuditEntry
from billing.models import Notice, NoticeSettings, SoftLimit
from billing.notices.actions.settings import set_balance_low, set_percents, write_edges
from billing.notices.actions.soft_limits import add_soft_limit, remove_soft_limit
from billing.notices.queries import edges_for
from billing.notices.rules.edges import DEFAULT_EDGES
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.usage import event


@pytest.fixture
def percents(acme, actor, now):
    def percents(organization=(75, 90, 100), member=(75, 90, 100), included=(80, 100)):
        return set_percents(
            acme,
            organization_percents=organization,
            member_percents=member,
            included_percents=included,
            actor=actor,
            now=now,
        )

    return percents


@pytest.fixture
def soft(acme, actor, now):
    def soft(amount, level="organization", **whose):
        return add_soft_limit(
            acme,
            level=level,
            amount_nanos=usd(amount),
            actor=actor,
            now=now,
            **whose,
        )

    return soft


def test_without_settings_the_defaults_hold(acme):
    assert edges_for(acme.pk) == DEFAULT_EDGES
    assert write_edges(acme) == DEFAULT_EDGES == edges_for(acme.pk)


def test_n1_percentages_are_sorted_and_each_is_there_once(acme, percents):
    row = percents(organization=[100, 50, 50], included=[])
    assert row.organization_percents == "50,100"
    edges = edges_for(acme.pk)
    assert (edges.organization, edges.included) == ((50, 100), ())
    assert edges.member == (75, 90, 100)


@pytest.mark.parametrize("bad", [[0], [101], [-5], [1, 2, 3, 4, 5, 6, 7]])
def test_n1_what_is_no_percentage_is_refused_at_its_field(acme, percents, bad):
    with pytest.raises(BusinessError) as refused:
        percents(member=bad)
    assert (refused.value.code, refused.value.field) == ("percents", "member_percents")
    assert not NoticeSettings.objects.exists()


def test_n1_the_recorder_holds_to_what_was_set(extra, record, bob, percents, told, now):
    percents(organization=[40])
    record(event(bob, usd="30", at=now))
    record(event(bob, usd="10", at=now))
    record(event(bob, usd="60", at=now))
    assert told() == [("organization_cap", "organization", 40)]


def test_n1_a_threshold_set_below_what_is_spent_counts_as_reached_in_silence(
    extra, record, bob, percents, soft, told, now
):
    record(event(bob, usd="60", at=now))
    percents(organization=[50, 90])
    soft(55)
    soft(20, "seat_tier", seat_tier="standard")
    record(event(bob, usd="1", at=now))
    assert told() == []


def test_n1_soft_limits_of_all_levels_reach_the_recorder(
    acme, bob, ada, extra, record, soft, told, now
):
    soft(50)
    soft(30, "seat_tier", seat_tier="standard")
    soft(40, "member", membership=bob)
    edges = edges_for(acme.pk)
    assert edges.amounts == (usd(50),)
    assert edges.tier_amounts == {"standard": (usd(30),)}
    assert edges.has_member_amounts
    record(event(ada, usd="41", at=now))
    record(event(bob, usd="41", at=now))
    assert [(subject, edge) for _kind, subject, edge in told("soft_limit")] == [
        (f"member:{ada.pk}", usd(30)),
        ("organization", usd(50)),
        (f"member:{bob.pk}", usd(40)),
    ]


def test_n1_a_soft_limit_taken_away_is_no_longer_told(
    acme, bob, extra, record, soft, actor, told, now
):
    limit = soft(50)
    kept = soft(40, "member", membership=bob)
    record(event(bob, usd="51", at=now))
    remove_soft_limit(acme, limit_id=limit.pk, actor=actor, now=now)
    remove_soft_limit(acme, limit_id=limit.pk, actor=actor, now=now)
    assert told() == [("soft_limit", f"member:{bob.pk}", usd(40))]
    assert edges_for(acme.pk).amounts == ()
    assert list(SoftLimit.objects.all()) == [kept]


def test_the_same_soft_limit_again_is_the_one_there_is(soft, acme):
    assert soft(50) == soft(50)
    assert AuditEntry.objects.filter(action="notices.soft_limit").count() == 1


@pytest.mark.parametrize(
    ("amount", "level", "code"),
    [
        (0, "organization", "amount"),
        (1_000_001, "organization", "amount"),
        (5, "seat_tier", "unknown_seat_tier"),
        (5, "member", "member_unknown"),
    ],
)
def test_n1_a_soft_limit_that_makes_no_sense_is_refused(soft, amount, level, code):
    with pytest.raises(BusinessError) as refused:
        soft(amount, level)
    assert refused.value.code == code


def test_d1_nobody_of_another_organization_gets_a_soft_limit_here(soft, charlie):
    with pytest.raises(BusinessError) as refused:
        soft(5, "member", membership=charlie)
    assert refused.value.code == "member_unknown"


def test_d1_a_soft_limit_of_another_organization_stays(soft, charlie, actor, now, acme):
    limit = soft(5)
    remove_soft_limit(charlie.organization, limit_id=limit.pk, actor=actor, now=now)
    assert SoftLimit.objects.filter(pk=limit.pk).exists()


def test_n1_there_are_as_many_as_people_can_read(soft):
    for amount in range(1, 11):
        soft(amount)
    with pytest.raises(BusinessError) as refused:
        soft(11)
    assert refused.value.code == "too_many"


def test_c8_each_change_is_kept_in_words(acme, bob, percents, soft, actor, now):
    percents(organization=[50])
    percents(organization=[50])
    set_balance_low(acme, amount_nanos=usd(25), actor=actor, now=now)
    soft(30, "seat_tier", seat_tier="standard")
    limit = soft(40, "member", membership=bob)
    remove_soft_limit(acme, limit_id=limit.pk, actor=actor, now=now)
    rows = [audit_row(entry) for entry in AuditEntry.objects.order_by("pk")]
    assert [(row.action, row.subject, row.before, row.after) for row in rows] == [
        (
            "Thresholds of notices",
            "Acme",
            "Organization 75%, 90%, 100%; people 75%, 90%, 100%; "
            "included usage 80%, 100%",
            "Organization 50%; people 75%, 90%, 100%; included usage 80%, 100%",
        ),
        ("Low balance notice", "Acme", "Default", "$25.00"),
        ("Soft limit added", "Acme", "", "$30.00 for each person on a Standard seat"),
        ("Soft limit added", "Bob Feld", "", "$40.00"),
        ("Soft limit removed", "Bob Feld", "$40.00", ""),
    ]
    assert rows[1].after_nanos == usd(25)


def test_n1_a_mark_below_a_cent_is_refused(acme, actor, now):
    for nanos in (0, -usd(1), 1):
        with pytest.raises(BusinessError) as refused:
            set_balance_low(acme, amount_nanos=nanos, actor=actor, now=now)
        assert refused.value.field == "balance_low"
    assert not Notice.objects.exists()
