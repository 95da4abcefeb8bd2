"""Filters that write money, days and times the way the reader's language does.

They format; they never compute.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone

from billing.models import model_label
from billing.prices.words import correction_reason_text, rate_usd, times_text
from billing.reports.charts import split_label
from config.kit import dates
from config.kit.money import format_usd, to_decimal_text
from config.kit.months import local_day as local_day_of

register = template.Library()
register.filter("correction_reason", correction_reason_text)
register.filter("split_label", split_label)
register.filter("model_label", model_label)
register.filter("factor_times", times_text)


@register.filter
def usd(nanos: int | None) -> str:
    """Nano-USD with cents: `$9,684.20`, `<$0.01`."""
    return "" if nanos is None else format_usd(nanos)


@register.filter
def usd_whole(nanos: int | None) -> str:
    """Nano-USD in whole dollars, for what is said with “about”: `$12,950`."""
    return "" if nanos is None else format_usd(nanos, cents=False)


@register.filter
def local_day(day: dt.date) -> str:
    """`Fri 27 Nov`, in Japanese 11月27日(金)."""
    return dates.day_text(day)


@register.filter
def short_day(day: dt.date) -> str:
    """`30 Nov`, in Japanese 11月30日."""
    return dates.short_day_text(day)


@register.filter
def local_time(moment: dt.datetime, zone: str) -> str:
    """`15:40` in `zone`."""
    return dates.time_text(moment, zone=zone)


@register.filter
def full_day(day: dt.date) -> str:
    """`10 December 2026`, in Japanese 2026年12月10日."""
    return dates.format_day(day)


@register.filter
def full_day_in(moment: dt.datetime, zone: str) -> str:
    """The local day of a moment with its year."""
    return dates.format_day(local_day_of(moment, zone))


@register.filter
def short_day_in(moment: dt.datetime, zone: str) -> str:
    """The local day of a moment: `30 Nov`."""
    return dates.short_day_text(local_day_of(moment, zone))


@register.filter
def month_year(first_on: dt.date) -> str:
    """`November 2026`, in Japanese 2026年11月."""
    return dates.month_text(first_on)


@register.filter
def month_name(first_on: dt.date) -> str:
    """`November`, in Japanese 11月."""
    return dates.month_name_text(first_on)


@register.filter
def duration(length: dt.timedelta) -> str:
    """`1 h 12 min`, `2 d 18 h`."""
    return dates.duration_text(length)


@register.filter
def usd_exact(nanos: int) -> str:
    """All nine places: `$0.012345000`, `-$0.200000000`."""
    return f"{'-' if nanos < 0 else ''}${to_decimal_text(abs(nanos))}"


@register.filter
def usd_short(nanos: int) -> str:
    """As many places as it has, two at least: `$0.0014025`, `$5.00`."""
    return rate_usd(nanos)


@register.filter
def usd_signed(nanos: int) -> str:
    """A movement with its sign: `+$50.00`, `-$1.20`, `-<$0.01`."""
    return f"{'-' if nanos < 0 else '+'}{format_usd(abs(nanos))}"


@register.filter
def usd_owed(nanos: int) -> str:
    """What is still to be taken, as the movement it will be: `-$1.20`."""
    return usd_signed(-nanos)


@register.filter
def moment_in(moment: dt.datetime, zone: str) -> str:
    """Inside a sentence: `at 15:40 today`, `on Thu 26 Nov at 09:05`."""
    return dates.moment_text(moment, zone=zone, now=timezone.now())


@register.filter
def moment_label_in(moment: dt.datetime, zone: str) -> str:
    """As a label: `15:40 today`, `Thu 26 Nov, 09:05`."""
    return dates.moment_label(moment, zone=zone, now=timezone.now())


@register.filter
def exact_moment_in(moment: dt.datetime, zone: str) -> str:
    """Inside a sentence, to the second: `at 15:40:12`, `on Thu 26 Nov at 09:05`."""
    return dates.exact_moment_text(moment, zone=zone, now=timezone.now())


@register.filter
def exact_label_in(moment: dt.datetime, zone: str) -> str:
    """As a label, to the second: `15:40:12`, `Thu 26 Nov, 09:05`."""
    return dates.exact_moment_label(moment, zone=zone, now=timezone.now())


@register.filter
def local_short_moment(moment: dt.datetime, zone: str) -> str:
    """`23 Nov, 14:22:18` in `zone`, as on receipts."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{dates.short_day_text(local.date())}, {local:%H:%M:%S}"


@register.filter
def zone_city(zone: str) -> str:
    """`New York` for America/New_York, in Japanese ニューヨーク."""
    return dates.zone_city_text(zone)
