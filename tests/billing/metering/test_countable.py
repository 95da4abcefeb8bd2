"""Whole numbers stay whole (E5a, M1): what would bring a sum out of its bounds is refused
with a clear answer, on both databases, and everything else of the batch is recorded.
"""

from __future__ import annotations

import dataclasses
import json

import pytest
from django.db import DatabaseError, connection, transaction

from billing.books import differences
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.recording import record_usage
from billing.metering.actions.rows import Uncountable, add_counts
from billing.metering.rules.tally import DayKey, Spend, Tally
from billing.models import (
    BillingAccount,
    IncludedWindow,
    MemberMonth,
    OrganizationMonth,
    PendingCharge,
    UsageDay,
    UsageEvent,
)
from billing.models.limits import MOST_COUNTED_NANOS
from billing.prices.rules import Usage
from billing.reports.queries.groups import usage_report
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.people import make_api_key, make_user
from tests.factories.usage import enable_extra_usage, event

MONTH_ON = NOW.date().replace(day=1)


def nearly_full(member, *, room: str, funding: str = "extra_nanos") -> None:
    """Leave `room` USD in the organization's month, as if it had used all else."""
    OrganizationMonth.objects.update_or_create(
        organization=member.organization,
        month_on=MONTH_ON,
        defaults={funding: MOST_COUNTED_NANOS - usd(room)},
    )


def of_cost(member, *amounts: str):
    """Events of these costs, which a billion tokens a class would not reach."""
    return [event(member, usd=amount, at=NOW) for amount in amounts]


def statuses(recorded) -> list[str]:
    return [result.status for result in recorded.results]


def kinds_of_counters() -> set[str]:
    """The types SQLite keeps in the counters; PostgreSQL has no other."""
    if connection.vendor != "sqlite":
        return {"integer"}
    kinds = set()
    with connection.cursor() as cursor:
        for table, column in (
            ("billing_organizationmonth", "extra_nanos"),
            ("billing_membermonth", "extra_nanos"),
            ("billing_usageday", "extra_nanos"),
        ):
            cursor.execute(f"SELECT DISTINCT typeof({column}) FROM {table}")
            kinds |= {kind for (kind,) in cursor.fetchall()}
    return kinds


@pytest.fixture
def running(acme, bob):
    """Extra usage on without caps, and Bob's included usage is gone."""
    enable_extra_usage(acme, cap=None)
    record_usage(of_cost(bob, "1000"), organization_id=acme.pk, now=NOW)
    return acme


@pytest.mark.django_db
def test_e5a_the_event_that_would_pass_the_bound_is_invalid_and_the_others_recorded(
    running, bob
):
    nearly_full(bob, room="100")
    batch = of_cost(bob, "60", "50", "40", "0.01")
    recorded = record_usage(batch, organization_id=running.pk, now=NOW)
    assert statuses(recorded) == ["recorded", "invalid", "recorded", "invalid"]
    [(where, sentence)] = recorded.results[1].errors
    assert where == ("usage",)
    assert "over $75,000,000.00 a month" in sentence
    month = OrganizationMonth.objects.get(organization=running)
    assert month.extra_nanos == MOST_COUNTED_NANOS
    assert kinds_of_counters() == {"integer"}
    assert UsageEvent.objects.count() == 3


@pytest.mark.django_db
def test_e5a_sent_again_it_is_answered_alike_and_nothing_is_counted_twice(running, bob):
    nearly_full(bob, room="100")
    batch = of_cost(bob, "60", "50")
    for answers in (["recorded", "invalid"], ["duplicate", "invalid"]):
        recorded = record_usage(batch, organization_id=running.pk, now=NOW)
        assert statuses(recorded) == answers
    assert MemberMonth.objects.get(membership=bob).extra_nanos == usd(60)


@pytest.mark.django_db
def test_e5a_every_funding_has_its_bound(acme, bob):
    nearly_full(bob, room="0.5", funding="included_nanos")
    recorded = record_usage(of_cost(bob, "1"), organization_id=acme.pk, now=NOW)
    assert statuses(recorded) == ["invalid"]
    assert not IncludedWindow.objects.exists(), "nothing of it stays"
    nearly_full(bob, room="0.5", funding="unbilled_nanos")
    OrganizationMonth.objects.update(included_nanos=0)
    recorded = record_usage(of_cost(bob, "1000", "2"), organization_id=acme.pk, now=NOW)
    assert statuses(recorded) == ["recorded", "invalid"]


@pytest.mark.django_db
def test_t2_a_prepaid_balance_has_its_bound_as_well(bolt):
    enable_extra_usage(bolt, cap=None)
    record_usage(of_cost("mia@bolt.example", "1000"), organization_id=bolt.pk, now=NOW)
    full = MOST_COUNTED_NANOS - usd(5)
    BillingAccount.objects.filter(pk=bolt.pk).update(pending_nanos=full)
    recorded = record_usage(
        of_cost("mia@bolt.example", "5", "1"), organization_id=bolt.pk, now=NOW
    )
    assert statuses(recorded) == ["recorded", "invalid"]
    assert PendingCharge.objects.get().amount_nanos == usd(5)


def test_e5a_a_sum_beyond_64_bits_is_refused_before_it_is_a_float(running, bob):
    key = DayKey(bob.pk, MONTH_ON, "claude", "claude-sonnet-5", "standard")
    for nanos in (2**63 - 1, 2**63, 2**70, -(2**70)):
        tally = Tally()
        tally.correct(key, month_on=MONTH_ON, spend=Spend(extra=nanos))
        with pytest.raises(Uncountable), transaction.atomic():
            add_counts(tally, organization_id=running.pk)
    assert kinds_of_counters() == {"integer"}


def test_e5a_the_database_itself_holds_the_bound(running, bob):
    for rows in (
        OrganizationMonth.objects.all(),
        MemberMonth.objects.all(),
        UsageDay.objects.all(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(extra_nanos=MOST_COUNTED_NANOS + 1)


def test_e5a_an_adjustment_beyond_the_bound_is_refused_in_words(running, bob):
    [sent] = of_cost(bob, "60")
    record_usage([sent], organization_id=running.pk, now=NOW)
    nearly_full(bob, room="100")
    kept = UsageEvent.objects.get(event_id=sent.id)
    olga = make_user("olga@operator.example", "Olga", is_staff=True)
    with pytest.raises(Uncountable) as refused, transaction.atomic():
        adjust_event(kept, amount_nanos=usd(101), reason="More", operator=olga, now=NOW)
    assert (refused.value.status, refused.value.field) == (422, "amount")
    assert not kept.adjustments.exists()


def test_b15_audit_books_proves_the_largest_events_to_the_nano_dollar(running, bob):
    """bugs.md B15: two events of $29,999.99997 were "off by -1" on SQLite."""
    huge = [
        dataclasses.replace(sent, usage=Usage(output_tokens=tokens, web_searches=9_999))
        for sent, tokens in zip(
            of_cost(bob, "1", "1", "1"),
            (2_999_999_997, 9_223_372_037, 9_989_999_999),
            strict=True,
        )
    ]
    record_usage(huge, organization_id=running.pk, now=NOW)
    assert list(differences()) == []


@pytest.mark.django_db(transaction=True)
def test_e5a_the_api_answers_200_with_the_event_that_does_not_fit(client, acme, bob):
    enable_extra_usage(acme, cap=None)
    record_usage(of_cost(bob, "1000"), organization_id=acme.pk, now=NOW)
    nearly_full(bob, room="10")
    secret = make_api_key(acme, now=NOW)
    sent = {
        "member": bob.user.email,
        "surface": "claude",
        "model": "claude-sonnet-5",
        "occurred_at": NOW.isoformat(),
    }
    events = [
        {**sent, "id": f"e{tokens}", "usage": {"output_tokens": tokens}}
        for tokens in (500_000, 900_000, 400_000)
    ]
    for answers in (("recorded", 2), ("duplicates", 2)):
        response = client.post(
            "/api/v1/usage",
            json.dumps({"events": events}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert response.status_code == 200
        body = response.json()
        assert (body[answers[0]], body["invalid"]) == (answers[1], 1)
        assert body["results"][1]["errors"][0]["loc"] == ["usage"]
    assert OrganizationMonth.objects.get(
        organization=acme
    ).extra_nanos == MOST_COUNTED_NANOS - usd(1)


def test_e5a_a_report_of_ten_full_years_adds_up(running, bob):
    days = [
        UsageDay(
            membership=bob,
            day_on=MONTH_ON.replace(year=2017 + number // 12, month=1 + number % 12),
            surface="claude",
            model="claude-sonnet-5",
            seat_tier="standard",
            events=1,
            extra_nanos=MOST_COUNTED_NANOS,
        )
        for number in range(120)
    ]
    UsageDay.objects.filter(membership=bob).delete()
    UsageDay.objects.bulk_create(days)
    span = {"start": MONTH_ON.replace(year=2017, month=1), "end": NOW.date()}
    for group_by in ("", "model"):
        [row] = usage_report(running.pk, group_by=group_by, **span).rows
        total_nanos = row[-2]
        assert total_nanos == 119 * MOST_COUNTED_NANOS
        assert isinstance(total_nanos, int)
    assert 122 * MOST_COUNTED_NANOS < 2**63, "the longest range touches 122 months"
