"""X1: one line of at most 60 characters in both languages, whatever people are called,
wherever they are, and however much they spend.
"""

from __future__ import annotations

import datetime as dt
import unicodedata

import pytest

from billing.funding.rules.decision import Decision, decide
from billing.funding.rules.standing import Reason, Standing, WindowState
from billing.funding.words import (
    MOST_CHARACTERS,
    refusal_message,
    short_message,
    short_standing,
)
from config.kit.dates import short_moment_text, zone_text
from config.kit.money import MAX_AMOUNT_NANOS, usd
from config.kit.months import Calendar, zone_names
from tests.billing.funding.standings import SESSION, cap, organization, standing
from tests.conftest import NOW

LONG = "株式会社ながいなまえ" * 12  # 120 characters, the most a name may have
# A day in the month with the longest name, and the longest weekday.
SEPTEMBER = dt.datetime(2026, 9, 30, 12, tzinfo=dt.UTC)
SHORTLY_BEFORE = SEPTEMBER - dt.timedelta(days=9)


def said(reason: Reason, *, resets_at: dt.datetime | None, zone: str, language: str):
    """The line for a reason, of somebody with long names in a zone."""
    month = Calendar(zone).month_at(SHORTLY_BEFORE)
    who = standing(organization(name=LONG, month=month), name=LONG)
    decision = Decision(False, None, reason, resets_at)
    return short_message(decision, who, language=language, now=SHORTLY_BEFORE)


def columns(text: str) -> int:
    """How wide a terminal shows it: wide letters take two."""
    return sum(1 + (unicodedata.east_asian_width(one) in "WF") for one in text)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("reason", list(Reason))
def test_x1_at_most_60_characters_in_every_zone(reason, language):
    moments = [None, SEPTEMBER, SHORTLY_BEFORE + dt.timedelta(minutes=5)]
    lines = {
        said(reason, resets_at=moment, zone=zone, language=language)
        for zone in zone_names()
        for moment in moments
    }
    assert len(lines) > 40
    assert max(map(len, lines)) <= MOST_CHARACTERS
    assert max(map(columns, lines)) <= MOST_CHARACTERS
    assert not [line for line in lines if "on on" in line or "%(" in line]


@pytest.mark.parametrize(
    ("zone", "moment", "line"),
    [
        ("Europe/Berlin", "2026-11-30T23:00Z", "Continue Tue 1 Dec 00:00 CET"),
        ("Asia/Tokyo", "2026-11-30T15:00Z", "Continue Tue 1 Dec 00:00 JST"),
        ("Asia/Kathmandu", "2026-11-30T18:15Z", "Continue Tue 1 Dec 00:00 UTC+05:45"),
        ("America/Sao_Paulo", "2026-12-01T03:00Z", "Continue Tue 1 Dec 00:00 UTC-03"),
        ("UTC", "2026-11-23T21:05Z", "Continue 21:05 UTC today"),
    ],
)
def test_x1_it_names_the_zone(zone, moment, line):
    org = organization(month=Calendar(zone).month_at(NOW))
    decision = Decision(
        False, None, Reason.MEMBER_CAP_REACHED, dt.datetime.fromisoformat(moment)
    )
    text = short_message(decision, standing(org), language="en", now=NOW)
    assert text == f"At your cap. {line}"


def test_x1_zones_without_letters_are_utc_and_what_lies_between():
    assert zone_text(NOW, zone="Asia/Dubai") == "UTC+04"
    assert zone_text(NOW, zone="America/New_York") == "EST"
    summer = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
    assert zone_text(summer, zone="Europe/Berlin") == "CEST"
    names = {zone_text(at, zone=one) for one in zone_names() for at in (NOW, summer)}
    assert len(names) > 40 and not [name for name in names if name[0] in "+-"]


def test_x1_the_moment_itself_has_at_most_27_characters():
    days = [SEPTEMBER - dt.timedelta(days=number) for number in range(365)]
    zones = ("Asia/Kathmandu", "Pacific/Chatham", "Australia/Melbourne")
    lengths = {
        len(short_moment_text(day, zone=zone, now=NOW))
        for day in days
        for zone in zones
    }
    assert max(lengths) == 27


def test_x1_the_sentence_names_the_zone_and_says_on_once():
    month_ends = Decision(
        False,
        None,
        Reason.MEMBER_CAP_REACHED,
        dt.datetime(2026, 12, 1, 5, tzinfo=dt.UTC),
    )
    text = refusal_message(
        month_ends, standing(own_cap=cap(31)), language="en", now=NOW
    )
    assert "You can continue on Tue 1 Dec at 00:00 EST, or as soon as" in text
    assert "on on" not in text


def test_x1_without_an_end_it_says_whom_to_ask():
    def refused(reason: Reason, **org) -> str:
        return short_message(
            Decision(False, None, reason),
            standing(organization(**org)),
            language="en",
            now=NOW,
        )

    assert refused(Reason.SEAT_UNASSIGNED) == "No seat. Ask an owner."
    assert refused(Reason.MEMBER_INACTIVE) == "No longer a member. Ask an owner."
    assert refused(Reason.BALANCE_EXHAUSTED) == "Balance used up. You can request more."
    assert refused(Reason.BALANCE_EXHAUSTED, plan="team") == (
        "Balance used up. Ask an owner."
    )
    off = standing(is_active=False, is_switched_off=True)
    assert short_message(decide(off), off, language="en", now=NOW) == (
        "Account switched off. Ask an owner."
    )


class TestTheStatusLine:
    """`short_standing`."""

    def line(self, who: Standing, language: str = "en") -> str:
        return short_standing(who, decide(who), language=language, now=NOW)

    def test_spent_of_cap(self):
        assert self.line(standing(own_cap=cap(50), spent_nanos=usd("12.30"))) == (
            "$12.30 of $50.00"
        )

    def test_without_a_cap_what_was_spent(self):
        assert self.line(standing(seat_cap=cap(None))) == "$31.00 this month"

    def test_without_extra_usage_how_much_of_the_included_is_used(self):
        window = WindowState("session", SESSION, usd(10), usd("3.77"))
        off = organization(enabled=False)
        assert self.line(standing(off, windows=[window])) == (
            "37% of included usage used"
        )

    def test_what_stops_and_until_when(self):
        assert self.line(standing(spent_nanos=usd(40))) == (
            "At your seat's cap. Continue 15:40 EST today"
        )

    @pytest.mark.parametrize("language", ["en", "ja"])
    def test_the_largest_amounts_fit(self, language):
        most = standing(
            organization(cap=cap(None)),
            own_cap=cap(MAX_AMOUNT_NANOS // usd(1)),
            spent_nanos=MAX_AMOUNT_NANOS - 1,
        )
        unlimited = standing(
            organization(cap=cap(None)), seat_cap=cap(None), spent_nanos=usd(75_000_000)
        )
        window = WindowState("session", SESSION, usd(10))
        included = standing(organization(enabled=False), windows=[window])
        for who in (most, unlimited, included):
            assert columns(self.line(who, language)) <= MOST_CHARACTERS
