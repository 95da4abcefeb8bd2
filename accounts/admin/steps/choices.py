"""Choosing one row of a customer in a step: the few that matter are shown, any other of
the customer's can come by an address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import QuerySet

from config.kit.ids import is_row_id

SHOWN = 12


class RowChoice(forms.ModelChoiceField):
    """One of a customer's rows; of the others none is ever taken."""

    widget = forms.RadioSelect

    def __init__(self, model: Any, **options: Any) -> None:
        super().__init__(
            queryset=model._default_manager.none(), empty_label=None, **options
        )

    def offer(
        self,
        owned: QuerySet[Any],
        shown: QuerySet[Any],
        *,
        asked: str,
        label: Callable[[Any], str],
    ) -> None:
        """Take one of `owned`; list the first of `shown`, and the one that was asked
        for, so that a refusal can say why.
        """
        self.queryset = owned
        rows = list(shown[:SHOWN])
        if is_row_id(asked):
            known = {row.pk for row in rows}
            rows = [*owned.filter(pk=int(asked)).exclude(pk__in=known), *rows]
        self.choices = [(row.pk, label(row)) for row in rows]
        if len(rows) == 1:
            self.initial = rows[0].pk


def asked_for(form: forms.Form, name: str) -> str:
    """Which row the address or the sent form names."""
    value = form.data.get(name) if form.is_bound else form.initial.get(name)
    return str(value or "")
