"""Which thresholds are newly reached and which are overtaken, as arithmetic (N1, N1a)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import NoticeKind, SoftLimitLevel
from billing.notices.rules import facts
from billing.notices.rules.crossings import (
    Reach,
    has_fallen_to,
    is_overtaken,
    newly_passed,
    newly_reached,
)
from billing.notices.rules.edges import DEFAULT_EDGES, Edges, edges_of
from config.kit.money import usd

PERCENTS = (75, 90, 100)


@pytest.mark.parametrize(
    ("before", "after", "reached"),
    [
        # (spent, limit) in dollars
        (("0", "100"), ("74.99", "100"), None),
        (("0", "100"), ("75", "100"), 75),
        (("74.99", "100"), ("75", "100"), 75),
        (("75", "100"), ("89.99", "100"), None),
        (("75", "100"), ("90", "100"), 90),
        (("0", "100"), ("90", "100"), 90),
        (("0", "100"), ("99.99", "100"), 90),
        (("0", "100"), ("100", "100"), 100),
        (("99", "100"), ("125", "100"), 100),
        (("100", "100"), ("200", "100"), None),
        # a limit lowered, raised, taken away, put there
        (("50", "100"), ("50", "60"), 75),
        (("50", "100"), ("50", "50"), 100),
        (("50", "50"), ("50", "100"), None),
        (("80", "100"), ("80", None), None),
        (("80", None), ("80", "100"), 75),
        (("80", None), ("80", None), None),
        # a cap of 0 allows none, and nobody comes near it
        (("0", "100"), ("0", "0"), None),
        (("80", "100"), ("80", "0"), None),
        (("0", "0"), ("5", "0"), None),
        (("80", "0"), ("80", "100"), None),
        (("80", "0"), ("80", None), None),
        # what falls reaches nothing
        (("95", "100"), ("60", "100"), None),
        (("-5", "100"), ("75", "100"), 75),
    ],
)
def test_n1a_a_jump_over_several_is_the_highest(before, after, reached):
    assert newly_reached(reach(*before), reach(*after), PERCENTS) == reached


def reach(spent: str, limit: str | None) -> Reach:
    return Reach(usd(spent), None if limit is None else usd(limit))


def test_n1_reached_is_exact_to_the_nano_dollar():
    # A third of a cap of 7 nano-dollars: 75 % is 5.25.
    assert newly_reached(Reach(0, 7), Reach(5, 7), [75]) is None
    assert newly_reached(Reach(5, 7), Reach(6, 7), [75]) == 75
    huge = 75_000_000 * 10**9
    assert newly_reached(Reach(0, huge), Reach(huge - 1, huge), [100]) is None


NANOS = st.integers(0, 400)
LIMITS = st.none() | st.integers(0, 300)
PERCENT_LISTS = st.lists(st.integers(1, 100), max_size=5)


@given(NANOS, LIMITS, NANOS, LIMITS, PERCENT_LISTS)
def test_n1a_as_a_plain_reading_of_the_rule_has_it(
    spent, limit, spent_now, limit_now, percents
):
    def held(amount: int, of: int | None) -> set[int]:
        if of is None:
            return set()
        return {one for one in percents if Fraction(amount) >= Fraction(of * one, 100)}

    new = held(spent_now, limit_now) - held(spent, limit) if limit_now else set()
    found = newly_reached(Reach(spent, limit), Reach(spent_now, limit_now), percents)
    assert found == (max(new) if new else None)
    overtaken = {
        one for one in percents if is_overtaken(one, Reach(spent_now, limit_now))
    }
    assert overtaken == set(percents) - held(spent_now, limit_now)


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(1, 300), PERCENT_LISTS)
def test_n1a_however_it_is_cut_into_events_each_threshold_is_told_once_at_most(
    costs, limit, percents
):
    told: list[int] = []
    spent = 0
    for cost in costs:
        new = newly_reached(Reach(spent, limit), Reach(spent + cost, limit), percents)
        told += [] if new is None else [new]
        spent += cost
    assert told == sorted(set(told))
    assert (told[-1] if told else None) == newly_reached(
        Reach(0, limit), Reach(spent, limit), percents
    )


@pytest.mark.parametrize(
    ("before", "after", "passed"),
    [
        (0, 499, None),
        (499, 500, 500),
        (0, 2_000, 1_000),
        (500, 500, None),
        (500, 999, None),
        (1_000, 2_000, None),
        (2_000, 0, None),
    ],
)
def test_n1_of_soft_limits_passed_at_once_the_highest_is_told(before, after, passed):
    assert newly_passed(before, after, [500, 1_000]) == passed


@pytest.mark.parametrize(
    ("before", "after", "fallen"),
    [(30, 25, True), (26, -5, True), (25, 20, False), (30, 26, False), (20, 30, False)],
)
def test_n1_a_balance_falls_to_its_mark_from_above(before, after, fallen):
    assert has_fallen_to(25, before_nanos=before, after_nanos=after) is fallen


def test_n1_a_balance_that_falls_past_both_marks_is_exhausted():
    def kinds(before, after, *, auto_reload=False):
        found = facts.balance_facts(
            before, after, low_nanos=25, auto_reload=auto_reload
        )
        return [fact.kind for fact in found]

    assert kinds(30, 20) == ["balance_low"]
    assert kinds(30, 0) == kinds(20, -3) == ["balance_exhausted"]
    assert kinds(30, 20, auto_reload=True) == []
    assert kinds(30, 0, auto_reload=True) == ["balance_exhausted"]


def test_the_rules_name_kinds_and_levels_as_the_rows_do():
    kinds = {
        facts.ORGANIZATION_CAP,
        *facts.KIND_BY_SOURCE.values(),
        facts.INCLUDED_USAGE,
        facts.CHANGEOVER,
        facts.SOFT_LIMIT,
        facts.BALANCE_LOW,
        facts.BALANCE_EXHAUSTED,
        facts.BALANCE_SHORT,
    }
    assert kinds < set(NoticeKind.values)
    levels = {facts.AT_ORGANIZATION, facts.AT_TIER, facts.AT_MEMBER}
    assert levels == set(SoftLimitLevel.values)


def test_edges_are_read_as_they_were_written():
    edges = Edges(
        organization=(50,),
        member=(10, 20),
        included=(),
        amounts=(usd(500),),
        tier_amounts={"premium": (usd(40), usd(60))},
        has_member_amounts=True,
        balance_low_nanos=usd(12),
    )
    assert edges_of(edges.as_json()) == edges
    assert edges_of(None) == edges_of("null") == edges_of({}) == DEFAULT_EDGES
