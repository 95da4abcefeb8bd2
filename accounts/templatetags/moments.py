"""Days and times in an organization's zone, for the accounts pages."""

from __future__ import annotations

import datetime as dt

from django import template

from config.kit import dates
from config.kit.months import local_day

register = template.Library()


@register.filter
def day_in(moment: dt.datetime, zone: str) -> str:
    """The local day: `Fri 27 Nov`."""
    return dates.day_text(local_day(moment, zone))


@register.filter
def day_time_in(moment: dt.datetime, zone: str) -> str:
    """The local day and time: `Fri 27 Nov, 15:40`."""
    return f"{day_in(moment, zone)}, {dates.time_text(moment, zone=zone)}"


@register.filter
def dated_in(moment: dt.datetime, zone: str) -> str:
    """The local day with its year, for what is kept for years: `Fri 27 Nov 2026`."""
    return dates.dated_day_text(local_day(moment, zone))


@register.filter
def dated_time_in(moment: dt.datetime, zone: str) -> str:
    """The local day with its year, and the time: `Fri 27 Nov 2026, 15:40`."""
    return f"{dated_in(moment, zone)}, {dates.time_text(moment, zone=zone)}"
