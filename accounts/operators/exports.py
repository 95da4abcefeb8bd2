"""Every list of the operators' site as CSV: as it is searched and filtered, exact to nine
places of USD, times in UTC, texts guarded, streamed. Who took which list is kept.
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from accounts.access import operator_of
from accounts.actions.audit import Actor, record_change
from accounts.audit import LOOKED_AT
from config.kit.code_words import wording_of
from config.kit.columns import NOTHING, Column, parts
from config.kit.csv_files import Amount, streamed

MOST_EXPORTED = 100_000
CHUNK = 500

Cell = Callable[[Any], Any]


def export_list(request: HttpRequest, model_admin: Any) -> HttpResponseBase:
    """The list as a file to save; back to the list with a sentence where it is longer
    than MOST_EXPORTED rows. Raises PermissionDenied for whom the list is not to be seen.
    """
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    address = _list_address(model_admin)
    try:
        shown = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return redirect(f"{address}?e=1")
    rows = shown.queryset
    count = rows.order_by().values("pk")[: MOST_EXPORTED + 1].count()
    if count > MOST_EXPORTED:
        return _refused(request, address)
    _keep(request, model_admin, count)
    columns = list(_columns(request, model_admin))
    heads = [head for head, _cell in columns]
    cells = ([cell(row) for _head, cell in columns] for row in _chunked(rows))
    day = timezone.now().astimezone(dt.UTC).date()
    name = f"{model_admin.opts.model_name}-{day.isoformat()}"
    return streamed(chain([heads], cells), name=name)


def _list_address(model_admin: Any) -> str:
    opts = model_admin.opts
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")


def _refused(request: HttpRequest, address: str) -> HttpResponse:
    sentence = _(
        "This list has more than %(most)s rows, the most that one CSV holds. Search or "
        "filter first, such as by customer or month; nothing was exported."
    )
    messages.error(request, sentence % {"most": f"{MOST_EXPORTED:,}"})
    return redirect(f"{address}?{request.GET.urlencode()}")


def _keep(request: HttpRequest, model_admin: Any, count: int) -> None:
    """Which list and how many rows, by which filters; what was searched for may be
    somebody's name, so it is not kept.
    """
    record_change(
        None,
        actor=Actor.person(operator_of(request)),
        action=LOOKED_AT,
        subject=f"{model_admin.opts.model_name} CSV",
        now=timezone.now(),
        to_value={"rows": count, "filtered by": sorted(request.GET)[:20]},
    )


def _chunked(rows: models.QuerySet[Any]) -> Iterator[Any]:
    """One row after another, CHUNK of them in memory."""
    yield from rows.iterator(chunk_size=CHUNK)


def _columns(request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, Cell]]:
    """Head and cell of each column of the list."""
    for name in model_admin.get_list_display(request):
        if callable(name) and not isinstance(name, Column):
            continue  # a link for whoever looks, no fact of the row
        label = str(label_for_field(name, model_admin.model, model_admin))
        label = label[:1].upper() + label[1:]
        field = _field_of(name, model_admin)
        if field is None:
            yield label, _text_of(name, model_admin)
        else:
            unit = "" if "USD" in label else _unit(field)
            yield f"{label}{unit}", _value_of(field)


def _field_of(name: Any, model_admin: Any) -> models.Field[Any, Any] | None:
    """The field whose value the column tells: its own, or for a column made by a method
    the amount by which it is sorted; None where there is none.
    """
    if isinstance(name, Column):
        return name.of
    try:
        return model_admin.opts.get_field(name)  # type: ignore[no-any-return]
    except FieldDoesNotExist:
        pass
    ordered_by = getattr(getattr(model_admin, name, None), "admin_order_field", None)
    if not str(ordered_by).endswith("_nanos"):
        return None
    return model_admin.opts.get_field(ordered_by)  # type: ignore[no-any-return]


def _unit(field: models.Field[Any, Any]) -> str:
    if field.name.endswith("_nanos"):
        return " (USD)"
    if field.name.endswith("_seconds"):
        return _(" (seconds)")
    return " (UTC)" if isinstance(field, models.DateTimeField) else ""


def _value_of(field: models.Field[Any, Any]) -> Cell:
    """What a field holds: amounts and times exact, choices and rows by their names."""
    name, wording = field.name, wording_of(field)

    def cell(row: Any) -> Any:
        if field.choices:
            return str(getattr(row, f"get_{name}_display")() or "")
        value = getattr(row, name)
        if value is None:
            return ""
        if name.endswith("_nanos"):
            return Amount(value)
        if isinstance(value, dt.datetime):
            return value.astimezone(dt.UTC)
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(field, models.JSONField):
            return _plain(parts(value))
        if wording is not None:
            return wording(value) if value else ""
        is_plain = isinstance(value, int | dt.date)
        return value if is_plain else str(value)

    return cell


def _text_of(name: Any, model_admin: Any) -> Cell:
    """What a method of the list says of a row, without its markup."""

    def cell(row: Any) -> Any:
        _field, _attr, value = lookup_field(name, row, model_admin)
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        return value if isinstance(value, int) else _plain(value)

    return cell


def _plain(value: Any) -> str:
    """A text without markup, on one line."""
    if value is None or value == NOTHING:
        return ""
    if hasattr(value, "__html__"):
        value = html.unescape(strip_tags(str(value).replace("<", " <")))
    return " ".join(str(value).split())
