"""Dates and times as people read them, in a given zone and the active language, and as
programs do.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date as babel_date
from babel.dates import format_interval, format_time, get_timezone_location
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _


@lru_cache(maxsize=4096)  # a chart and its table name each day of the month
def format_date(day: dt.date, pattern: str, *, locale: str) -> str:
    """`day` by a CLDR pattern in one locale."""
    return babel_date(day, pattern, locale=locale)


def _babel() -> str:
    return "ja_JP" if (get_language() or "en").startswith("ja") else "en_GB"


def day_text(day: dt.date) -> str:
    """`Fri 27 Nov`, in Japanese 11月27日(金)."""
    pattern = "M月d日(E)" if _babel() == "ja_JP" else "E d MMM"
    return format_date(day, pattern, locale=_babel())


def dated_day_text(day: dt.date) -> str:
    """`Fri 27 Nov 2026`, in Japanese 2026年11月27日(金): for what is kept for years."""
    pattern = "y年M月d日(E)" if _babel() == "ja_JP" else "E d MMM y"
    return format_date(day, pattern, locale=_babel())


def span_text(first: dt.date, last: dt.date) -> str:
    """Two days with their year: `1–27 Nov 2026`, in Japanese 2026年11月1日～27日."""
    text = format_interval(first, last, "yMMMd", locale=_babel())
    return text.replace("\u2009", " ")


def short_span_text(first: dt.date, last: dt.date) -> str:
    """Two days without a year: `2–8 Nov`, in Japanese 11月2日～8日."""
    text = format_interval(first, last, "MMMd", locale=_babel())
    return text.replace("\u2009", " ")


def short_day_text(day: dt.date) -> str:
    """`30 Nov`, in Japanese 11月30日."""
    return format_date(
        day, "M月d日" if _babel() == "ja_JP" else "d MMM", locale=_babel()
    )


def long_day_text(day: dt.date) -> str:
    """`1 December`, in Japanese 12月1日."""
    return format_date(
        day, "M月d日" if _babel() == "ja_JP" else "d MMMM", locale=_babel()
    )


def format_day(day: dt.date) -> str:
    """A day with its year, as on documents: `10 December 2026`, in Japanese 2026年12月10日."""
    return format_date(
        day, "y年M月d日" if _babel() == "ja_JP" else "d MMMM y", locale=_babel()
    )


def month_text(first_on: dt.date) -> str:
    """`November 2026`, in Japanese 2026年11月."""
    return format_date(
        first_on, "y年M月" if _babel() == "ja_JP" else "MMMM y", locale=_babel()
    )


def month_name_text(first_on: dt.date) -> str:
    """`November`, in Japanese 11月."""
    return format_date(
        first_on, "M月" if _babel() == "ja_JP" else "MMMM", locale=_babel()
    )


def short_month_text(first_on: dt.date, *, with_year: bool = False) -> str:
    """`Nov`, or `Nov 2025`; in Japanese 11月, 2025年11月."""
    if _babel() == "ja_JP":
        pattern = "y年M月" if with_year else "M月"
    else:
        pattern = "MMM y" if with_year else "MMM"
    return format_date(first_on, pattern, locale=_babel())


def time_text(moment: dt.datetime, *, zone: str) -> str:
    """`15:40` in `zone`."""
    return format_time(moment.astimezone(ZoneInfo(zone)), "HH:mm", locale=_babel())


def zone_text(moment: dt.datetime, *, zone: str) -> str:
    """What `zone` is called at that moment: `CET`, `JST`; `UTC+05:45` where it has no
    letters.
    """
    name = moment.astimezone(ZoneInfo(zone)).tzname() or "UTC"
    if name[0] not in "+-":
        return name
    return "UTC" if name == "-00" else f"UTC{name[:3]}{name[3:] and ':' + name[3:]}"


def zoned_time_text(moment: dt.datetime, *, zone: str) -> str:
    """`15:40 CET`: for readers who may be elsewhere."""
    return f"{time_text(moment, zone=zone)} {zone_text(moment, zone=zone)}"


def moment_text(
    moment: dt.datetime, *, zone: str, now: dt.datetime, names_zone: bool = False
) -> str:
    """When, inside a sentence: `at 15:40 today`, `on Thu 26 Nov at 09:05`, with
    `names_zone` `at 15:40 CET today`.
    """
    local, today = (
        moment.astimezone(ZoneInfo(zone)),
        now.astimezone(ZoneInfo(zone)).date(),
    )
    time = zoned_time_text if names_zone else time_text
    values = {"time": time(moment, zone=zone), "day": day_text(local.date())}
    if local.date() == today:
        return pgettext("moment", "at %(time)s today") % values
    return pgettext("moment", "on %(day)s at %(time)s") % values


def short_moment_text(moment: dt.datetime, *, zone: str, now: dt.datetime) -> str:
    """When, in at most 27 characters: `15:40 CET today`, `Thu 26 Nov 09:05 CET`."""
    time, local = zoned_time_text(moment, zone=zone), moment.astimezone(ZoneInfo(zone))
    if local.date() == now.astimezone(ZoneInfo(zone)).date():
        return pgettext("moment", "%(time)s today") % {"time": time}
    return f"{day_text(local.date())} {time}"


def moment_label(moment: dt.datetime, *, zone: str, now: dt.datetime) -> str:
    """When, as a label: `15:40 today`, `Thu 26 Nov, 09:05`."""
    local, today = (
        moment.astimezone(ZoneInfo(zone)),
        now.astimezone(ZoneInfo(zone)).date(),
    )
    values = {"time": time_text(moment, zone=zone), "day": day_text(local.date())}
    if local.date() == today:
        return pgettext("moment", "%(time)s today") % values
    return pgettext("moment", "%(day)s, %(time)s") % values


def exact_moment_text(moment: dt.datetime, *, zone: str, now: dt.datetime) -> str:
    """When, to the second, inside a sentence: `at 15:40:12`, another day
    `on Thu 26 Nov at 09:05`.
    """
    local = moment.astimezone(ZoneInfo(zone))
    if local.date() != now.astimezone(ZoneInfo(zone)).date():
        return moment_text(moment, zone=zone, now=now)
    return pgettext("moment", "at %(time)s") % {"time": f"{local:%H:%M:%S}"}


def exact_moment_label(moment: dt.datetime, *, zone: str, now: dt.datetime) -> str:
    """When, to the second, as a label: `15:40:12`, another day `Thu 26 Nov, 09:05`."""
    local = moment.astimezone(ZoneInfo(zone))
    if local.date() != now.astimezone(ZoneInfo(zone)).date():
        return moment_label(moment, zone=zone, now=now)
    return f"{local:%H:%M:%S}"


def zoned_moment_text(moment: dt.datetime, *, zone: str) -> str:
    """When, for good: `Tue 1 Dec 2026, 06:00 (America/New_York)`."""
    day = dated_day_text(moment.astimezone(ZoneInfo(zone)).date())
    values = {"day": day, "time": time_text(moment, zone=zone)}
    said = pgettext("moment", "%(day)s, %(time)s") % values
    return f"{said} ({zone})"


def zone_city_text(zone: str) -> str:
    """The city that names a time zone: `New York`, in Japanese ニューヨーク."""
    return str(get_timezone_location(ZoneInfo(zone), locale=_babel(), return_city=True))


def city_time_text(zone: str) -> str:
    """`New York time`: whose time is meant."""
    return _("%(zone_city)s time") % {"zone_city": zone_city_text(zone)}


def city_moment_text(moment: dt.datetime, *, zone: str) -> str:
    """As of when: `Wed 25 Nov 2026, 15:42 New York time`."""
    day = dated_day_text(moment.astimezone(ZoneInfo(zone)).date())
    values = {"day": day, "time": time_text(moment, zone=zone)}
    said = pgettext("moment", "%(day)s, %(time)s") % values
    return f"{said} {city_time_text(zone)}"


def duration_text(length: dt.timedelta) -> str:
    """`2 d 18 h`, `1 h 12 min`, `5 h`, `4 min`; rounded up to whole minutes so that it
    never says zero.
    """
    minutes = max(1, -(-int(length.total_seconds()) // 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        words = [
            _("%(days)d d") % {"days": days},
            hours and _("%(hours)d h") % {"hours": hours},
        ]
    else:
        words = [
            hours and _("%(hours)d h") % {"hours": hours},
            rest and _("%(minutes)d min") % {"minutes": rest},
        ]
    return " ".join(word for word in words if word)


def rfc3339(moment: dt.datetime | None) -> str | None:
    """An instant as the API and payloads write it: UTC with `Z`."""
    return (
        None
        if moment is None
        else moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    )
