"""Filters of the operators' lists that mean something: a month by its name, whether
something has happened, one customer that a link led to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kit.dates import month_text
from config.kit.ids import is_row_id
from config.kit.months import first_of_month, month_from_text, previous_month

SHOWN_MONTHS = 13


class MonthFilter(admin.FieldListFilter):
    """A column of months, by the months of the last year."""

    def __init__(
        self, field: Any, request: Any, params: Any, *args: Any, **kwargs: Any
    ) -> None:
        self.parameter = f"{field.name}__month"
        self.chosen = (params.pop(self.parameter, None) or [""])[-1]
        super().__init__(field, request, params, *args, **kwargs)

    def expected_parameters(self) -> list[str | None]:
        """The one it answers to."""
        return [self.parameter]

    def has_output(self) -> bool:
        """Always."""
        return True

    def queryset(self, request: Any, queryset: Any) -> Any:
        """Rows of the chosen month; all where none is chosen, or what is none."""
        month_on = month_from_text(self.chosen)
        return queryset.filter(**{self.field_path: month_on}) if month_on else queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Any, then the newest month first."""
        yield self._choice(changelist, _("Any month"), "")
        month_on = first_of_month(timezone.now().date())
        for _number in range(SHOWN_MONTHS):
            yield self._choice(changelist, month_text(month_on), f"{month_on:%Y-%m}")
            month_on = previous_month(month_on)

    def _choice(self, changelist: Any, label: str, value: str) -> dict[str, Any]:
        query = (
            changelist.get_query_string({self.parameter: value})
            if value
            else changelist.get_query_string(remove=[self.parameter])
        )
        return {
            "selected": self.chosen == value,
            "query_string": query,
            "display": label,
        }


def happened(
    field: str, *, title: str | Promise, yes: str | Promise, no: str | Promise
) -> type[admin.SimpleListFilter]:
    """A filter by whether the time in `field` is there: `yes` and `no` say what that
    means, as “Sent” and “Not sent”.
    """

    class Happened(admin.SimpleListFilter):
        parameter_name = field

        def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
            return [("yes", yes), ("no", no)]

        def queryset(self, request: Any, queryset: Any) -> Any:
            if self.value() not in ("yes", "no"):
                return queryset
            return queryset.filter(**{f"{field}__isnull": self.value() == "no"})

    Happened.title = title  # type: ignore[assignment]
    return Happened


def titled(
    title: str | Promise, kind: type[admin.FieldListFilter]
) -> type[admin.FieldListFilter]:
    """A filter of a field under a name that says more than the column's own."""

    class Titled(kind):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Titled


class OfOrganization(admin.SimpleListFilter):
    """One customer, whom a link from their page led to; nobody picks from thousands."""

    title = gettext_lazy("customer")  # type: ignore[assignment]
    parameter_name = "customer"
    path = "organization"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one in the address, by name; nothing where none is, so that nothing shows."""
        chosen = request.GET.get(self.parameter_name, "")
        if not is_row_id(chosen):
            return []
        field: Any = model_admin.model
        for name in self.path.split("__"):
            field = field._meta.get_field(name).related_model
        row: models.Model | None = field.objects.filter(pk=chosen).first()
        return [(chosen, str(row))] if row else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Their rows; all where none is chosen."""
        chosen = self.value()
        if not chosen or not self.lookup_choices:
            return queryset
        return queryset.filter(**{f"{self.path}_id": int(chosen)})


class OfMembersOrganization(OfOrganization):
    """The same for rows of a member."""

    path = "membership__organization"


def customer_filter(model: type[models.Model]) -> type[OfOrganization] | None:
    """The filter by customer that a table can have."""
    names = {field.name for field in model._meta.fields}
    if "organization" in names:
        return OfOrganization
    return OfMembersOrganization if "membership" in names else None
