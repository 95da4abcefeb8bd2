"""Money, days and times as each language writes them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import translation

from billing.templatetags import display
from config.kit.money import usd

DAY = dt.date(2026, 11, 27)


@pytest.mark.parametrize(
    ("name", "value", "english", "japanese"),
    [
        ("usd", usd("9684.2"), "$9,684.20", "$9,684.20"),
        ("usd", 1, "<$0.01", "<$0.01"),
        ("usd", None, "", ""),
        ("usd_exact", -5, "-$0.000000005", "-$0.000000005"),
        ("zone_city", "America/New_York", "New York", "ニューヨーク"),
        ("usd_whole", usd("12949.50"), "$12,950", "$12,950"),
        ("local_day", DAY, "Fri 27 Nov", "11月27日(金)"),
        ("short_day", DAY, "27 Nov", "11月27日"),
        ("month_year", DAY, "November 2026", "2026年11月"),
        ("month_name", DAY, "November", "11月"),
    ],
)
def test_filters_in_both_languages(name, value, english, japanese):
    for language, text in (("en", english), ("ja", japanese)):
        with translation.override(language):
            assert getattr(display, name)(value) == text


def test_times_are_those_of_the_zone(now):
    assert display.local_time(now, "America/New_York") == "14:28"
    with translation.override("en"):
        assert display.duration(dt.timedelta(hours=3, minutes=20)) == "3 h 20 min"
