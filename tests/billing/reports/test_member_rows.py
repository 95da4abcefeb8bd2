"""The table's rows: the status in SQL is that of the check's own rule; search, filters,
sorting and counts.
"""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from accounts.models import Membership, Plan, Tier
from billing.funding.queries import standing_of, standings_for
from billing.funding.rules.decision import decide, extra_usage_refusal
from billing.models import (
    BillingAccount,
    ExtraUsageConfirmation,
    IncludedWindow,
    MemberMonth,
    OrganizationMonth,
    SelectedMember,
    SpendCap,
)
from billing.reports.queries.members import MemberFilter, member_counts, member_rows
from config.kit.money import usd
from tests.factories.documents import use_november
from tests.factories.people import MembershipFactory
from tests.factories.usage import enable_extra_usage

SPENT = usd(40)


@pytest.fixture
def crowd(acme, now):
    """One person for every mix of seat, selection, own cap (with and without this
    month's own) and spending.
    """
    month_on = acme.calendar.month_at(now).first_on
    mixes = itertools.product(
        [None, Tier.STANDARD, Tier.PREMIUM],
        [True, False],
        [None, 40, 100],
        [False, True],
        [True, False],
    )
    for seat, selected, cap, month_only, has_spent in mixes:
        one = MembershipFactory(organization=acme, seat_tier=seat)
        if selected:
            SelectedMember.objects.create(membership=one)
        if cap is not None:
            amount = {"amount_nanos": usd(cap)}
            if month_only:
                amount = {
                    "amount_nanos": usd(7),
                    "month_on": month_on,
                    "month_amount_nanos": usd(cap),
                }
            SpendCap.objects.create(
                organization=acme, level="member", membership=one, **amount
            )
        if has_spent:
            MemberMonth.objects.create(
                membership=one, month_on=month_on, extra_nanos=SPENT
            )
    SpendCap.objects.create(
        organization=acme, level="seat_tier", seat_tier="standard", amount_nanos=usd(30)
    )
    SpendCap.objects.create(
        organization=acme,
        level="seat_tier",
        seat_tier="premium",
        amount_nanos=usd(30),
        month_on=month_on,
        month_amount_nanos=usd(50),
    )
    OrganizationMonth.objects.create(
        organization=acme, month_on=month_on, extra_nanos=usd(900)
    )
    enable_extra_usage(acme)
    return acme


def organization_standing(acme, now):
    member = Membership.objects.filter(organization=acme).first()
    return standing_of(member.pk, organization_id=acme.pk, now=now).organization


@pytest.mark.parametrize(
    "plan", [Plan.ENTERPRISE_SEAT, Plan.TEAM, Plan.ENTERPRISE_USAGE]
)
@pytest.mark.parametrize("settlement", ["postpaid", "prepaid"])
@pytest.mark.parametrize(
    ("enabled", "scope"), [(True, "everyone"), (True, "selected"), (False, "everyone")]
)
@pytest.mark.parametrize("cap", [None, "900", "901"])
def test_e2_the_status_of_every_row_is_the_rules_answer(
    crowd, now, plan, settlement, enabled, scope, cap
):
    type(crowd).objects.filter(pk=crowd.pk).update(plan=plan, settlement=settlement)
    BillingAccount.objects.filter(pk=crowd.pk).update(
        extra_usage_enabled=enabled, scope=scope
    )
    SpendCap.objects.filter(level="organization").update(
        amount_nanos=None if cap is None else usd(cap)
    )
    rows = member_rows(organization_standing(crowd, now), MemberFilter(), page=None)
    standings = standings_for(crowd.pk, [row.id for row in rows], now=now)
    assert len(rows) == 75
    for row in rows:
        standing = standings[row.id]
        expected = (
            "seat_unassigned"
            if standing.seat_tier is None
            else extra_usage_refusal(standing)
        )
        assert (row.reason, row.cap_nanos, row.cap_source, row.spent_nanos) == (
            expected,
            standing.cap.amount_nanos,
            standing.cap_source,
            standing.spent_nanos,
        )
        assert row.cap_month_only == standing.cap.month_only


def test_n5_the_status_of_who_waits_for_their_own_yes_is_the_rules_answer(crowd, now):
    """Of every mix: the session used up or not, or ended, and a yes that holds or held."""
    BillingAccount.objects.filter(pk=crowd.pk).update(confirmation_required=True)
    people = Membership.objects.filter(organization=crowd)
    for number, member in enumerate(people):
        ends = now if number % 7 == 0 else now + dt.timedelta(hours=1)
        IncludedWindow.objects.create(
            membership=member,
            name="session",
            opened_at=now - dt.timedelta(hours=4),
            resets_at=ends,
            used_nanos=usd("1000") if number % 4 in (1, 2) else 0,
        )
        if number % 3 == 0:
            ExtraUsageConfirmation.objects.create(
                membership=member,
                confirmed_for="window",
                door="page",
                until_at=now + dt.timedelta(hours=number % 2),
                created_at=now - dt.timedelta(hours=1),
            )
    rows = member_rows(organization_standing(crowd, now), MemberFilter(), page=None)
    standings = standings_for(crowd.pk, [row.id for row in rows], now=now)
    for row in rows:
        standing = standings[row.id]
        decided = decide(standing).reason
        waits = decided if decided == "confirmation_needed" else None
        seat = None if standing.seat_tier else "seat_unassigned"
        assert row.reason == (seat or extra_usage_refusal(standing) or waits)
    waiting = [row for row in rows if row.reason == "confirmation_needed"]
    assert 0 < len(waiting) < len(rows) and {row.state for row in waiting} == {"paused"}


def test_counts_add_up_to_the_rows_of_each_filter(crowd, now):
    standing = organization_standing(crowd, now)
    counts = member_counts(standing)
    for state in ("", "active", "paused", "off"):
        assert (
            counts.of(state)
            == len(member_rows(standing, MemberFilter(state=state), page=None))
            > 0
        )
    for seat, number in counts.by_seat_tier.items():
        assert number == len(
            member_rows(standing, MemberFilter(seat=seat or "unassigned"), page=None)
        )


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("BOB",), {"Bob Feld"}),
        (("o", "feld"), {"Bob Feld"}),
        (("ada@acme",), {"Ada Okafor"}),
        (("%",), set()),
        (("_",), set()),
    ],
)
def test_search_finds_every_word_in_name_or_address(acme, now, words, names):
    rows = member_rows(
        organization_standing(acme, now), MemberFilter(words=words), page=None
    )
    assert {row.name for row in rows} == names


@pytest.mark.parametrize("column", ["person", "seat", "cap", "spend", "status"])
def test_every_column_sorts_both_ways_and_pages_repeat_nobody(crowd, now, column):
    standing = organization_standing(crowd, now)
    up = [row.id for row in member_rows(standing, MemberFilter(sort=column), page=None)]
    down = member_rows(standing, MemberFilter(sort=f"-{column}"), page=None)
    pages = [
        member_rows(standing, MemberFilter(sort=column), page=page, size=20)
        for page in (1, 2, 3, 4)
    ]
    assert [row.id for page in pages for row in page] == up
    keys = {
        "person": lambda row: row.name.lower(),
        "seat": lambda row: row.seat_tier or "~",
        "cap": lambda row: row.cap_nanos if row.cap_nanos is not None else usd(10**6),
        "spend": lambda row: row.spent_nanos,
        "status": lambda row: (row.state, row.reason or ""),
    }
    assert [keys[column](row) for row in down] == sorted(
        (keys[column](row) for row in down), reverse=True
    )


def test_d1_d4_neither_strangers_nor_removed_people_without_spending_are_rows(
    acme, bob, charlie, now
):
    Membership.objects.filter(pk=bob.pk).update(
        status="removed", seat_tier=None, removed_at=now
    )
    assert {
        row.name
        for row in member_rows(
            organization_standing(acme, now), MemberFilter(), page=None
        )
    } == {"Alice Nakamura", "Ada Okafor"}


def test_removed_people_who_spent_this_month_are_rows_and_the_sum_is_the_organizations(
    acme, bob, ada, now
):
    use_november(acme, at=now)
    Membership.objects.filter(pk=bob.pk).update(
        status="removed", seat_tier=None, removed_at=now
    )
    standing = organization_standing(acme, now)
    rows = member_rows(standing, MemberFilter(), page=None)
    assert sum(row.spent_nanos for row in rows) == standing.spent_nanos == usd("44.345")
    [gone] = member_rows(standing, MemberFilter(state="removed"), page=None)
    assert (gone.id, gone.reason, gone.spent_nanos) == (
        bob.pk,
        "member_inactive",
        usd("14.345"),
    )
    counts = member_counts(standing)
    assert (counts.listed, counts.total, counts.removed) == (3, 2, 1)
    assert counts.by_seat_tier == {Tier.PREMIUM: 1, Tier.STANDARD: 1}
    # They have no seat either, but nobody is to give them one.
    assert not member_rows(standing, MemberFilter(seat="unassigned"), page=None)
