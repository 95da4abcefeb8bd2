"""What the operators' admin shares: tables that can only be read, and the person behind
a change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from config.kit.columns import is_empty, readable, row_name
from config.kit.filters import customer_filter
from config.kit.ids import MOST_DIGITS


class ReadableList:
    """Mixed into a ModelAdmin: its list shows dollars, hours, times with their zone and
    the parts of JSON values (`config.kit.columns`), can be narrowed to one customer, and
    says something where it is empty.
    """

    # What stands in an empty list, and on the button that adds a row.
    empty_text: Any = ""
    add_label: Any = ""

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """With readable columns."""
        names = super().get_list_display(request)  # type: ignore[misc]
        return readable(self.model, names, many=True)  # type: ignore[attr-defined]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """With the customer that a link led to."""
        of_customer = customer_filter(self.model)  # type: ignore[attr-defined]
        filters = super().get_list_filter(request)  # type: ignore[misc]
        return [*([of_customer] if of_customer else []), *filters]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """With the row's name in words."""
        row = context.get("original")
        context["row_title"] = self.row_title(row) if row is not None else ""
        return super().render_change_form(  # type: ignore[misc]
            request, context, *args, **kwargs
        )

    def row_title(self, row: Any) -> str:
        """What a row's page is called."""
        return row_name(row)


class Readable(ReadableList):
    """The same, and rows that are only looked at read as well."""

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """None as well for a number that no row can have."""
        if object_id.isdecimal() and len(object_id) > MOST_DIGITS:
            return None
        return super().get_object(request, object_id, from_field)  # type: ignore[misc]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """With readable columns where nothing of the row can be changed; what a row does
        not have is left out.
        """
        if self._is_looked_at(request, obj):
            names = self._readable_fields()
            # Of an inline's rows each may have what another lacks.
            is_row = isinstance(obj, self.model)  # type: ignore[attr-defined]
            return [one for one in names if not (is_row and is_empty(one, obj))]
        return super().get_fields(request, obj)  # type: ignore[misc]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The same columns, of which no form is made."""
        names = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        if self._is_looked_at(request, obj):
            return [*names, *self._readable_fields()]
        return names

    def _readable_fields(self) -> list[Any]:
        model = self.model  # type: ignore[attr-defined]
        own = [field.name for field in model._meta.fields if not field.primary_key]
        extra = self.readonly_fields  # type: ignore[attr-defined]
        names = self.fields or [*own, *extra]  # type: ignore[attr-defined]
        return readable(model, names, many=not hasattr(self, "list_display"))

    def _is_looked_at(self, request: HttpRequest, obj: Any) -> bool:
        is_inline = not hasattr(self, "list_display")
        may_change = self.has_change_permission(request, obj)  # type: ignore[attr-defined]
        return (is_inline or obj is not None) and not may_change


class ReadOnly(Readable):
    """Mixed into a ModelAdmin or inline: looking only.

    Append-only tables and counters are never edited by hand.
    """

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class NoDelete(Readable):
    """Mixed into a ModelAdmin whose rows others refer to for good."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class FieldBounds:
    """Mixed into a ModelAdmin, before it, whose rows have bounds in the database: what
    is out of them is refused at its field, in a sentence.
    """

    field_bounds: Mapping[str, Sequence[Callable[[Any], None]]] = {}

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """With the validators of `field_bounds`."""
        field = super().formfield_for_dbfield(  # type: ignore[misc]
            db_field, request, **kwargs
        )
        if field is not None:
            field.validators.extend(self.field_bounds.get(db_field.name, ()))
        return field
