"""N5 as rules: when a yes is waited for and how long it holds, when extra usage begins,
and what is left meanwhile.
"""

from __future__ import annotations

import datetime as dt

import pytest

from billing.funding.rules.confirmation import (
    confirm_as_of,
    ends_of_yes,
    extra_usage_begins,
)
from billing.funding.rules.decision import decide, may_request
from billing.funding.rules.headroom import all_left, extra_left, extra_within_caps
from billing.funding.rules.layers import LayerState, WhoCanChange
from billing.funding.rules.standing import Reason, WindowState
from billing.funding.words import MOST_CHARACTERS, refusal_message, short_message
from config.kit.money import usd
from tests.billing.funding.standings import (
    MONTH,
    SESSION,
    SESSION_RESETS,
    WEEK_RESETS,
    cap,
    organization,
    standing,
    windows,
)
from tests.conftest import NOW


def asked(org=(), **who):
    """Bob, whose included usage is used up, where members are asked first."""
    return standing(organization(confirmation_required=True, **dict(org)), **who)


@pytest.mark.parametrize(
    ("org", "who", "reason"),
    [
        ({}, {}, Reason.CONFIRMATION_NEEDED),
        ({}, {"is_confirmed": True}, None),
        ({}, {"windows": windows(session_left=True)}, None),
        ({}, {"windows": []}, Reason.CONFIRMATION_NEEDED),
        ({"plan": "team", "balance_nanos": 1}, {}, Reason.CONFIRMATION_NEEDED),
        ({"plan": "enterprise_usage"}, {"windows": []}, None),
        # Last in the order: nobody is asked for what would be refused all the same.
        ({"plan": "team", "balance_nanos": 0}, {}, Reason.BALANCE_EXHAUSTED),
        ({"enabled": False}, {}, Reason.EXTRA_USAGE_DISABLED),
        ({}, {"own_cap": cap(31)}, Reason.MEMBER_CAP_REACHED),
        ({}, {"is_confirmed": True, "own_cap": cap(31)}, Reason.MEMBER_CAP_REACHED),
    ],
)
def test_n5_a_yes_is_waited_for_only_where_nothing_else_stops_extra_usage(
    org, who, reason
):
    assert decide(asked(org, **who)).reason is reason


def test_n5_nobody_is_asked_while_the_setting_is_off():
    assert decide(standing()).allowed


def test_n5_it_ends_by_itself_when_included_usage_resets():
    decision = decide(asked(windows=windows(week_left=False)))
    assert decision.resets_at == WEEK_RESETS
    assert decide(asked(windows=[])).resets_at is None


@pytest.mark.parametrize(
    ("until_at", "holds"),
    [
        (None, False),
        (NOW, False),
        (NOW - dt.timedelta(microseconds=1), False),
        (NOW + dt.timedelta(microseconds=1), True),
    ],
)
def test_n5_a_yes_holds_until_its_end_and_not_at_it(until_at, holds):
    bob = asked(confirmed_until=until_at, is_confirmed=not holds)
    confirm_as_of(bob, NOW)
    assert bob.is_confirmed is holds


def test_n5_a_yes_ends_with_the_latest_reset_of_what_is_used_up_or_with_the_month():
    assert ends_of_yes(asked()) == {"window": SESSION_RESETS, "month": MONTH.end}
    assert ends_of_yes(asked(windows=windows(week_left=False)))["window"] == WEEK_RESETS


def test_n5_where_nothing_resets_there_is_the_month_alone():
    never = [WindowState("session", SESSION, 0)]
    assert ends_of_yes(asked(windows=never)) == {"month": MONTH.end}
    assert ends_of_yes(asked(windows=[])) == {"month": MONTH.end}


def begun(*which, week_left=True):
    """Bob's windows, in some of which extra usage was recorded since they were used up."""
    ours = windows(week_left=week_left)
    for window in ours:
        window.extra_has_begun = window.name in which
    return ours


@pytest.mark.parametrize(
    ("who", "begins"),
    [
        ({"windows": begun()}, True),
        ({"windows": begun("session")}, False),
        ({"windows": begun("session", week_left=False)}, False),
        # What was recorded in a window with some left says nothing of this change-over.
        ({"windows": begun("week")}, True),
        ({"windows": [], "spent_nanos": 0}, True),
        ({"windows": [], "spent_nanos": 1}, False),
    ],
)
def test_n5_a_change_over_is_before_the_first_extra_usage_since_it_was_used_up(
    who, begins
):
    bob = standing(**who)
    assert extra_usage_begins(bob) is begins
    assert decide(bob).is_changeover is begins


def test_n5_included_usage_and_usage_based_plans_have_no_change_over():
    assert not decide(standing(windows=windows(session_left=True))).is_changeover
    usage = organization(plan="enterprise_usage")
    assert not decide(standing(usage, windows=[], spent_nanos=0)).is_changeover
    assert not decide(asked()).is_changeover


def test_x1_nothing_of_extra_usage_is_left_before_the_yes():
    included = windows(session_left=True, limit=5)
    included[0].used_nanos, included[1].used_nanos = usd(3), usd(2)
    waits, said = asked(windows=included), asked(windows=included, is_confirmed=True)
    assert (extra_left(waits), all_left(waits)) == (0, usd(2))
    assert (extra_left(said), all_left(said)) == (usd(9), usd(11))
    assert extra_within_caps(waits) == usd(9)
    off = asked({"enabled": False}, windows=included)
    assert extra_within_caps(off) == 0


def test_e2_the_confirmation_is_the_layer_that_blocks_and_its_member_can_change_it():
    [layer] = [one for one in decide(asked()).layers if one.state == LayerState.BLOCKS]
    assert (layer.kind, layer.who) == ("confirmation", WhoCanChange.MEMBER)
    others = decide(asked(own_cap=cap(31), confirmed_until=NOW, is_confirmed=True))
    [layer] = [one for one in others.layers if one.kind == "confirmation"]
    assert (layer.state, layer.resets_at) == (LayerState.OK, NOW)
    off = decide(standing(own_cap=cap(31)))
    assert all(layer.kind != "confirmation" for layer in off.layers)


def test_r1_who_can_help_themselves_needs_no_request():
    bob = asked()
    assert not may_request(bob, Reason.CONFIRMATION_NEEDED)
    assert may_request(bob, Reason.MEMBER_CAP_REACHED)


def test_n2_the_sentence_says_what_to_press_and_when_it_ends_by_itself():
    bob = asked()
    decision = decide(bob)
    assert refusal_message(decision, bob, language="en", now=NOW) == (
        "Your included usage is used up, and Acme asks before extra usage begins. Press"
        " “Continue with extra usage” on your usage page, or wait until your included"
        " usage resets at 15:40 EST today."
    )
    assert short_message(decision, bob, language="en", now=NOW) == (
        "Confirm extra usage, or continue 15:40 EST today"
    )


@pytest.mark.parametrize("language", ["en", "ja"])
def test_x1_the_line_stays_short_in_every_language(language):
    """The longest moment there is: another day, in a zone without letters."""
    bob = asked(windows=windows(week_left=False))
    line = short_message(decide(bob), bob, language=language, now=NOW)
    assert len(line) <= MOST_CHARACTERS
    nothing = asked(windows=[])
    line = short_message(decide(nothing), nothing, language=language, now=NOW)
    assert len(line) <= MOST_CHARACTERS


# A Premium seat includes more, whatever stops extra usage.
OWNER_OR_SEAT = "an owner changes this or a Premium seat is approved for you"


@pytest.mark.parametrize(
    ("org", "who", "by"),
    [
        ({"enabled": False}, {}, OWNER_OR_SEAT),
        ({"spent_nanos": usd(12_000)}, {}, OWNER_OR_SEAT),
        ({"balance_nanos": 0}, {}, OWNER_OR_SEAT),
        ({"scope": "selected"}, {}, "an admin approves more"),
        ({}, {"own_cap": cap(31)}, "an admin approves more"),
        ({}, {"seat_cap": cap(31)}, "an admin approves more"),
    ],
)
def test_n2_the_sentence_names_who_can_end_the_block(org, who, by):
    bob = standing(organization(**org), **who)
    message = refusal_message(decide(bob), bob, language="en", now=NOW)
    assert message.endswith(f" {by}.")
    assert " on on " not in message
