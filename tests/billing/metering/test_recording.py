"""Recording usage: funding, counting, exactly once, months and windows (E3-E6, E8, I2, P1)."""

from __future__ import annotations

import datetime as dt

import pytest

from billing.documents.closing import close_due
from billing.funding.promises import sign_authorization
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.actions.recording import record_usage
from billing.metering.rules.events import ReportedEvent
from billing.models import (
    IncludedWindow,
    MemberMonth,
    OrganizationDay,
    OrganizationMonth,
    SpendCap,
    UsageDay,
    UsageEvent,
)
from billing.prices.rules import Usage
from config.kit.money import usd
from tests.factories.usage import enable_extra_usage, event

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


def record(acme, *events, now):
    """Record events and give their results."""
    return record_usage(events, organization_id=acme.pk, now=now).results


def decision(bob, now):
    """What the next check answers."""
    return decide(standing_of(bob.pk, organization_id=bob.organization_id, now=now))


def test_i2_the_first_included_event_opens_both_windows_at_its_own_time(acme, bob, now):
    occurred = now - 10 * MINUTE
    [result] = record(acme, event(bob, usd="0.30", at=occurred), now=now)
    assert (result.status, result.funding, result.cost_nanos) == (
        "recorded",
        "included",
        usd("0.30"),
    )
    session, week = IncludedWindow.objects.order_by("resets_at")
    assert (session.name, session.opened_at, session.resets_at) == (
        "session",
        occurred,
        occurred + 5 * HOUR,
    )
    assert (week.name, week.resets_at) == ("week", occurred + dt.timedelta(days=7))
    assert (session.used_nanos, week.used_nanos) == (usd("0.30"), usd("0.30"))


def test_e3_the_request_that_crosses_the_included_limit_is_still_included(
    acme, bob, now
):
    record(acme, event(bob, usd="0.90", at=now), now=now)
    [crossing] = record(acme, event(bob, usd="0.50", at=now), now=now + MINUTE)
    assert crossing.funding == "included"
    after = decision(bob, now + 2 * MINUTE)
    assert (after.allowed, after.reason, after.resets_at) == (
        False,
        "extra_usage_disabled",
        now + 5 * HOUR,
    )
    assert IncludedWindow.objects.get(name="session").exhausted_at == now


def test_i2_after_its_length_the_next_event_opens_a_new_window(acme, bob, now):
    record(acme, event(bob, usd="1.10", at=now), now=now)
    later = now + 6 * HOUR
    [result] = record(acme, event(bob, usd="0.10", at=later), now=later)
    assert result.funding == "included"
    latest = IncludedWindow.objects.get(name="session", is_latest=True)
    assert (latest.opened_at, latest.used_nanos) == (later, usd("0.10"))
    assert IncludedWindow.objects.filter(name="session").count() == 2
    assert IncludedWindow.objects.get(name="week").used_nanos == usd("1.20")


def test_i2_an_event_reported_late_counts_in_the_window_it_fell_into(acme, bob, now):
    record(acme, event(bob, usd="0.20", at=now), now=now)
    occurred, reported = now + 4 * HOUR, now + 5 * HOUR + MINUTE
    record(acme, event(bob, usd="0.30", at=occurred), now=reported)
    assert IncludedWindow.objects.get(name="session").used_nanos == usd("0.50")


def test_i2_an_old_event_opens_its_window_when_it_is_recorded(acme, bob, now):
    """Else years-old usage would never use anything up."""
    record(acme, event(bob, usd="1.10", at=now - dt.timedelta(days=900)), now=now)
    assert IncludedWindow.objects.get(name="session").opened_at == now
    assert decision(bob, now + MINUTE).reason == "extra_usage_disabled"


def test_e3_the_request_that_crosses_a_cap_is_charged_whole_and_the_next_is_refused(
    acme, bob, now
):
    enable_extra_usage(acme, cap=None)
    SpendCap.objects.create(
        organization=acme, level="member", membership=bob, amount_nanos=usd(1)
    )
    record(acme, event(bob, usd="1.10", at=now), now=now)  # included usage is gone
    results = record(acme, *[event(bob, usd="0.75", at=now) for _ in range(3)], now=now)
    assert [result.funding for result in results] == ["extra_usage"] * 3
    after = decision(bob, now)
    assert (after.reason, after.allowed) == ("member_cap_reached", False)
    refusals = list(
        UsageEvent.objects.order_by("pk").values_list("funding_why", "refusal_reason")
    )
    assert refusals == [
        ("checked", ""),
        ("checked", ""),
        ("checked", ""),
        ("refused", "member_cap_reached"),
    ]


def test_e5_where_a_check_would_refuse_and_extra_usage_is_off_the_event_is_unbilled(
    acme, bob, now
):
    record(acme, event(bob, usd="1.10", at=now), now=now)
    [result] = record(acme, event(bob, usd="0.10", at=now), now=now)
    assert (result.status, result.funding) == ("recorded", "unbilled")
    assert UsageEvent.objects.last  # kept
    assert OrganizationMonth.objects.get().unbilled_nanos == usd("0.10")


def test_e5_a_batch_is_funded_one_after_the_other(acme, bob, now):
    enable_extra_usage(acme)
    results = record(acme, *[event(bob, usd="0.60", at=now) for _ in range(4)], now=now)
    assert [result.funding for result in results] == [
        "included",
        "included",
        "extra_usage",
        "extra_usage",
    ]


def test_e4_an_authorization_is_kept_whatever_changed_in_between(acme, bob, now):
    promise = {"organization_id": acme.pk, "membership_id": bob.pk, "now": now}
    included, extra = (
        sign_authorization("included", **promise),
        sign_authorization("extra_usage", **promise),
    )
    record(acme, event(bob, usd="1.10", at=now), now=now)
    results = record(
        acme,
        event(bob, authorization=included, at=now),
        event(bob, authorization=extra, at=now),
        now=now + HOUR,
    )
    assert [result.funding for result in results] == ["included", "extra_usage"]


@pytest.mark.parametrize("bad", ["garbage", "x.1.2.3:abc", "", "i.1.2"])
def test_e4_a_bad_authorization_is_ignored(acme, bob, now, bad):
    [result] = record(acme, event(bob, authorization=bad, at=now), now=now)
    assert (result.status, result.funding) == ("recorded", "included")


def test_e4_an_authorization_is_bound_to_its_member_and_good_for_24_hours(
    acme, ada, bob, now
):
    enable_extra_usage(acme)
    token = sign_authorization(
        "extra_usage", organization_id=acme.pk, membership_id=ada.pk, now=now
    )
    [other] = record(acme, event(bob, authorization=token, at=now), now=now)
    [in_time] = record(
        acme, event(ada, authorization=token, at=now), now=now + 24 * HOUR
    )
    [expired] = record(
        acme, event(ada, authorization=token, at=now), now=now + 24 * HOUR + MINUTE
    )
    assert [other.funding, in_time.funding, expired.funding] == [
        "included",
        "extra_usage",
        "included",
    ]


def test_e6_the_same_event_again_is_a_duplicate_and_other_content_a_conflict(
    acme, bob, now
):
    first = event(bob, id="req-1", usd="0.10", at=now)
    again = event(bob, id="req-1", usd="0.10", at=now, authorization="other")
    other = event(bob, id="req-1", usd="0.20", at=now)
    results = [
        *record(acme, first, again, now=now),
        *record(acme, first, other, now=now + HOUR),
    ]
    assert [result.status for result in results] == [
        "recorded",
        "duplicate",
        "duplicate",
        "conflict",
    ]
    assert [result.cost_nanos for result in results] == [usd("0.10")] * 4
    assert UsageEvent.objects.count() == OrganizationMonth.objects.get().events == 1


def test_e6_ids_are_unique_within_an_organization_only(acme, bob, charlie, now):
    [mine] = record(acme, event(bob, id="req-1", at=now), now=now)
    [theirs] = record_usage(
        [event(charlie, id="req-1", at=now)],
        organization_id=charlie.organization_id,
        now=now,
    ).results
    assert (mine.status, theirs.status) == ("recorded", "recorded")


def test_p1_an_event_from_more_than_5_minutes_ahead_is_refused(acme, bob, now):
    results = record(
        acme, event(bob, at=now + 5 * MINUTE), event(bob, at=now + 6 * MINUTE), now=now
    )
    assert [result.status for result in results] == ["recorded", "invalid"]
    assert results[1].errors[0][0] == ("occurred_at",)


def test_p1_a_late_event_counts_to_its_own_month_while_open_and_to_the_open_one_after_its_close(
    acme, bob
):
    december = dt.datetime(2026, 12, 1, 5, tzinfo=dt.UTC)  # midnight in New York
    last = december - MINUTE
    in_grace, closed = december + 5 * HOUR, december + 7 * HOUR
    record(acme, event(bob, id="a", usd="0.01", at=last), now=in_grace)
    record(acme, event(bob, id="c", usd="0.04", at=december), now=in_grace)
    record(acme, event(bob, id="late close", usd="0.08", at=last), now=closed)
    assert [one.month.month_on for one in close_due(acme.pk, now=closed)] == [
        dt.date(2026, 11, 1)
    ]
    record(acme, event(bob, id="b", usd="0.02", at=last), now=closed)
    placed = dict(UsageEvent.objects.values_list("event_id", "month_on"))
    november, december_on = dt.date(2026, 11, 1), dt.date(2026, 12, 1)
    assert placed == {
        "a": november,
        "late close": november,
        "b": december_on,
        "c": december_on,
    }
    assert UsageEvent.objects.get(event_id="b").occurred_at == last
    assert dict(UsageDay.objects.values_list("day_on", "events")) == {
        dt.date(2026, 11, 30): 2,
        december_on: 2,
    }


def test_p1_a_month_whose_close_was_missed_is_open_however_long_ago_it_was(acme, bob):
    """Also the first of an organization: created in October, nothing closed until February."""
    acme.created_at = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
    acme.save(update_fields=["created_at"])
    february = dt.datetime(2027, 2, 10, tzinfo=dt.UTC)
    for month in (8, 9, 10, 11):
        record(
            acme,
            event(bob, id=f"{month}", at=dt.datetime(2026, month, 20, tzinfo=dt.UTC)),
            now=february,
        )
    placed = dict(UsageEvent.objects.values_list("event_id", "month_on"))
    too_old, september = dt.date(2027, 2, 1), dt.date(2026, 9, 1)
    assert placed == {
        "8": too_old,
        "9": september,
        "10": dt.date(2026, 10, 1),
        "11": dt.date(2026, 11, 1),
    }
    assert close_due(acme.pk, now=february)[0].month.month_on == september


def test_e8_every_counter_equals_the_events(acme, ada, bob, now):
    enable_extra_usage(acme)
    record(
        acme,
        *[event(who, usd="0.40", at=now) for who in (ada, bob, bob, bob, bob)],
        now=now,
    )
    month = OrganizationMonth.objects.get()
    assert (month.included_nanos, month.extra_nanos, month.events) == (
        usd("1.60"),
        usd("0.40"),
        5,
    )
    assert MemberMonth.objects.get(membership=bob).extra_nanos == usd("0.40")
    assert OrganizationDay.objects.get().extra_nanos == usd("0.40")
    day = UsageDay.objects.get(membership=bob)
    assert (day.events, day.included_nanos, day.extra_nanos) == (
        4,
        usd("1.20"),
        usd("0.40"),
    )


def test_e7_a_removed_member_is_refused_at_the_next_check_and_stays_in_reports(
    acme, bob, now
):
    record(acme, event(bob, at=now), now=now)
    bob.status, bob.seat_tier, bob.removed_at = "removed", None, now
    bob.save(update_fields=["status", "seat_tier", "removed_at"])
    assert decision(bob, now).reason == "member_inactive"
    [late] = record(acme, event(bob, at=now), now=now + MINUTE)
    assert (late.status, late.funding) == ("recorded", "unbilled")
    assert MemberMonth.objects.get(membership=bob).events == 2


def test_d2_a_usage_based_plan_has_no_windows(acme, bob, now):
    acme.plan = "enterprise_usage"
    acme.save(update_fields=["plan"])
    [result] = record(acme, event(bob, at=now), now=now)
    assert result.funding == "extra_usage"
    assert not IncludedWindow.objects.exists()


@pytest.mark.parametrize("size", [1, 40])
def test_a_batch_takes_a_constant_number_of_queries(
    acme, ada, alice, bob, now, size, django_assert_num_queries
):
    enable_extra_usage(acme)
    record(acme, event(bob, at=now), now=now)  # the price book is read once a process
    people = [ada, bob, alice]
    batch = [
        event(people[index % 3], usd="0.05", at=now + MINUTE) for index in range(size)
    ]
    with django_assert_num_queries(11, exact=False):  # savepoints of the test included
        record(acme, *batch, now=now + MINUTE)


def test_m4_an_unknown_model_is_marked_estimated(acme, bob, now):
    unknown = ReportedEvent(
        "u", bob.user.email, "claude", "mystery-1", now, Usage(1_000_000, 0)
    )
    [result] = record(acme, unknown, now=now)
    assert (result.cost_nanos, result.estimated) == (usd(15), True)
