"""Columns of the operators' lists and rows as people read them: dollars in place of
nano-USD, hours in place of seconds, days and times in the row's own zone with the zone
said, what a JSON value holds in place of its brackets.

What a field is tells how it reads, so that a table gets it without a word of its own.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from config.kit.code_words import wording_of
from config.kit.dates import dated_day_text, format_day, month_text, time_text
from config.kit.money import format_usd
from config.kit.months import local_day

NOTHING = "–"
# What only programmers read of a column's name: “(nano-USD)”.
UNIT = re.compile(r"\s*[(（][^)）]*(?:nano|ナノ)[^)）]*[)）]")
SECONDS = re.compile(r"\s*[(（](?:seconds|秒)[)）]")
CENT, DOLLAR = 10_000_000, 1_000_000_000
# Prices that hold since ever begin on this day.
EVER = dt.date(1970, 1, 1)

Shows = Callable[[Any], Any]


@dataclass(frozen=True)
class Column:
    """One column: of which field, how its value reads in a row. Ordered by the field."""

    of: models.Field[Any, Any]
    admin_order_field: str
    shows: Shows = field(compare=False)

    @property
    def __name__(self) -> str:  # type: ignore[override]
        return str(self.of.name)

    def __str__(self) -> str:
        return self.__name__

    @property
    def short_description(self) -> str:
        """The field's name without its unit; of a key that has no name of its own, what
        the other table's rows are called.
        """
        name = UNIT.sub("", str(self.of.verbose_name))
        other = self.of.related_model if self.of.is_relation else None
        if isinstance(other, type) and name == other._meta.model_name:
            return str(other._meta.verbose_name)
        return SECONDS.sub("", name)

    def __call__(self, row: Any) -> Any:
        return self.shows(row)


def readable(
    model: type[models.Model], names: Sequence[Any], *, many: bool
) -> list[Any]:
    """`names` of a list or a row's page with readable columns in the place of fields that
    need it. `many`: rows stand below each other, so none fetches its zone by itself.
    """
    return [_column(model, name, many) or name for name in names]


def is_empty(name: Any, row: Any) -> bool:
    """Whether a row has nothing in a column; of what a page works out it is not asked."""
    if isinstance(name, Column):
        return name(row) in ("", NOTHING)
    return isinstance(name, str) and getattr(row, name, row) in (None, "")


def _column(model: type[models.Model], name: Any, many: bool) -> Column | None:
    try:
        of = model._meta.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        return None
    if not isinstance(of, models.Field) or of.choices:
        return None
    shows = _reads(of, many)
    return Column(of, of.name, shows) if shows else None


def _reads(column: models.Field[Any, Any], many: bool) -> Shows | None:
    """How the values of a field read; None where Django's way is good."""
    name = column.name

    def of(show: Callable[[Any], Any]) -> Shows:
        def shows(row: Any) -> Any:
            try:
                value = getattr(row, name)
            except ObjectDoesNotExist:  # a key without a constraint may lead nowhere
                value = None
            return NOTHING if value is None else show(value)

        return shows

    wording = wording_of(column)
    if wording is not None:
        return of(lambda code: wording(code) if code else NOTHING)
    if name.endswith("_nanos"):
        return (lambda row: dollars(getattr(row, name))) if many else of(exact_dollars)
    if name.endswith("_seconds"):
        return of(hours)
    if isinstance(column, models.DateTimeField):
        return lambda row: moment(getattr(row, name), zone_of(row, many=many))
    if isinstance(column, models.DateField):
        return of(month_text if name == "month_on" else _day)
    if isinstance(column, models.JSONField):
        return of(parts)
    if isinstance(column, models.BooleanField):
        return of(lambda is_so: _("Yes") if is_so else _("No"))
    if isinstance(column, models.IntegerField) and not column.primary_key:
        return of(number)
    if isinstance(column, models.ForeignKey):
        return of(str if many else _linked)
    return None


def _day(day: dt.date) -> str:
    return _("the beginning") if day == EVER else format_day(day)


def _linked(row: models.Model) -> str | SafeString:
    """Another row by its name, with a link to its page where it has one."""
    opts = row._meta
    try:
        page = reverse(
            f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk]
        )
    except NoReverseMatch:
        return row_name(row)
    return format_html('<a href="{}">{}</a>', page, row_name(row))


def row_name(row: models.Model) -> str:
    """What a row is called: a membership by its person, else by itself; one that is only
    a number with what it is in front.
    """
    text = str(row)
    if not text.startswith("#"):
        return text
    person = getattr(row, "user", None)
    if person is not None:
        return str(person)
    kind = str(row._meta.verbose_name)
    return f"{kind[:1].upper()}{kind[1:]} {text}"


def dollars(nanos: int | None) -> SafeString:
    """`$1,234.56` of nano-USD, on the right edge of its column."""
    text = NOTHING if nanos is None else format_usd(nanos)
    return format_html('<span class="op-num">{}</span>', text)


def exact_dollars(nanos: int) -> str:
    """`$1,234.56`, with all nine places where cents don't say it all."""
    if nanos % CENT == 0:
        return format_usd(nanos)
    whole, rest = divmod(abs(nanos), DOLLAR)
    return f"{'-' if nanos < 0 else ''}${whole:,}.{rest:09d}"


def exact_number(nanos: int) -> SafeString:
    """The same on the right edge of its column."""
    return format_html('<span class="op-num">{}</span>', exact_dollars(nanos))


def number(count: int) -> SafeString:
    """`41,208,114`, on the right edge of its column."""
    return format_html('<span class="op-num">{}</span>', f"{count:,}")


def hours(seconds: int) -> str:
    """`5 h`, `1:30 h`."""
    whole, rest = divmod(seconds, 3600)
    return f"{whole:,}:{rest // 60:02d} h" if rest else f"{whole:,} h"


def moment(at: dt.datetime | None, zone: str) -> str | SafeString:
    """`Fri 27 Nov 2026, 15:40` and below it the zone that says so."""
    if at is None:
        return NOTHING
    words = {
        "day": dated_day_text(local_day(at, zone)),
        "time": time_text(at, zone=zone),
    }
    return format_html(
        '<span class="op-when">{}</span> <span class="op-sub">{}</span>',
        pgettext("moment", "%(day)s, %(time)s") % words,
        zone.replace("_", " "),
    )


def parts(value: Any) -> str | SafeString:
    """What a JSON value holds, a line each: `name: Acme`."""
    if isinstance(value, dict):
        rows = [_part(str(key), part) for key, part in value.items()]
        return format_html_join(
            "", '<span class="op-part"><span class="op-key">{}</span> {}</span>', rows
        )
    return _plain(value)


def _part(key: str, value: Any) -> tuple[str, str]:
    """One line of a JSON value: money in dollars."""
    name = key.removesuffix("_nanos").replace("_", " ")
    is_money = key.endswith("_nanos") and isinstance(value, int)
    return name, exact_dollars(value) if is_money else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        said = [_part(str(key), part) for key, part in value.items()]
        return ", ".join(f"{name}: {text}" for name, text in said)
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or NOTHING
    return NOTHING if value in (None, "") else str(value)


def zone_of(row: Any, *, many: bool) -> str:
    """The zone a row's times are told in: its own, else its organization's, else UTC.
    With `many`, only of an organization that is loaded with the row.
    """
    own = getattr(row, "zone", "") or getattr(row, "timezone", "")
    if isinstance(own, str) and own:
        return own
    for key in row._meta.fields:
        if key.remote_field and _leads_to_a_zone(key.related_model):
            is_there = key.is_cached(row) or not many
            related = getattr(row, key.name) if is_there else None
            if related is not None:
                return zone_of(related, many=many)
    return "UTC"


def _leads_to_a_zone(model: Any) -> bool:
    names = {field.name for field in model._meta.fields}
    return not names.isdisjoint({"timezone", "organization"})
