"""Setting the rates of a model (M2): in dollars per million tokens, previewed with what
last month would have cost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.audit import Actor
from accounts.admin.steps.base import Typed, refuse_no_change
from accounts.models import AuditEntry
from accounts.panels import Effect
from billing.models import ModelPrice
from billing.models.prices import RATE_FIELDS
from billing.prices.actions import correct_price
from billing.prices.admin.effects import last_month_at
from billing.prices.admin.steps import Asked, CatalogPreview, CatalogStep, step_url
from billing.prices.audit import RATE_NAMES
from billing.prices.forms import RateForm
from billing.prices.queries import read_price_book
from billing.prices.queries.holding import rates_of, rows_holding, rows_in_force
from billing.prices.queries.usage import MonthUsage, usage_of_names
from billing.prices.rules import FALLBACK, PricedModel
from billing.prices.rules.estimates import is_far
from billing.prices.rules.names import canonical
from billing.prices.words import cost_sentence, rate_text, rate_usd, times_between
from config.kit.dates import format_day
from config.kit.errors import BusinessError

CORE = ("input_nanos", "output_nanos")


class RateStep(CatalogStep):
    name, model, permission = (
        "billing_modelprice_set",
        ModelPrice,
        "billing.change_modelprice",
    )
    label = gettext_lazy("Set the rates of a model")
    foot = gettext_lazy(
        "The old rates stay as history and the nightly synchronisation leaves yours "
        "alone. Usage that is recorded keeps its cost: “manage.py reprice_events” books "
        "differences, with --dry-run it only shows them."
    )

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        priced = PricedModel(asked.get("provider", ""), asked.get("model", ""))
        self.rows = rows_in_force(priced) if "provider" in asked else []
        self.done_model = ""

    @property
    def done_url(self) -> str:
        """The rates of the model, old and new."""
        return f"{self.list_url}?{urlencode({'q': self.done_model})}"

    def form(self, data: Any, now: dt.datetime) -> RateForm:
        """With the rates of now; a model that has some can't be mistyped."""
        today = now.astimezone(dt.UTC).date()
        size = self.asked.get("context_above", "")
        above = int(size) if size.isascii() and size.isdigit() and len(size) < 19 else 0
        rates = {
            name: rate_text(nanos)
            for row in rows_holding(self.rows, today) or self.rows
            if row.context_above == above
            for name, nanos in rates_of(row).items()
        }
        initial: Typed = {"starts_on": today.isoformat(), **rates, **self.asked}
        form = RateForm(data, initial=initial | {"context_above": above})
        if self.rows:
            form.fix("provider", "model", "context_above")
        if not above:
            form.hide_context()
        return form

    def preview(self, typed: Typed, now: dt.datetime) -> CatalogPreview:
        """Each rate before and after, who used it, and what last month would have cost."""
        priced = self._priced(typed)
        rates = {name: typed[name] for name in RATE_FIELDS}
        before = self._before(typed)
        changes = [
            name
            for name in RATE_FIELDS
            if before is None or before[name] != rates[name]
        ]
        refuse_no_change(bool(changes), "input_nanos")
        usage = self._usage(priced, now)
        above = typed["context_above"] or 0
        effects = [
            *_rate_effects(changes, before, rates),
            *self._neighbours(typed, now),
            *last_month_at(usage, before, rates, context_above=above),
        ]
        title = _("%(model)s would cost this from %(day)s on, 00:00 UTC.") % {
            "model": priced.path if priced.model else _fallback_text(priced),
            "day": format_day(typed["starts_on"]),
        }
        return CatalogPreview(
            title,
            effects,
            sure=" ".join(_unusual(changes, before, rates)),
            button=_("Set the rates"),
            basis=before,
        )

    def take(self, typed: Typed, *, actor: Actor, now: dt.datetime) -> str:
        """By the act."""
        priced = self._priced(typed)
        above = typed["context_above"] or 0
        key = (priced.provider, priced.model, typed["starts_on"], above)
        rates = {name: typed[name] for name in RATE_FIELDS}
        correct_price(key, rates=rates, actor=actor, now=now)
        self.done_model = priced.model
        return _(
            "The rates of %(model)s are set. Usage that is recorded keeps its cost; "
            "“manage.py reprice_events --dry-run” shows what the new rates would book."
        ) % {"model": priced.path}

    def _priced(self, typed: Typed) -> PricedModel:
        """What the rates are for. Raises BusinessError for a new model that has some."""
        priced = PricedModel(typed["provider"].strip(), typed["model"].strip())
        if not self.rows and rows_in_force(priced):
            raise BusinessError(
                _(
                    "%(model)s has rates already: open it in the list and set them there."
                )
                % {"model": priced.path},
                code="has_rates",
                status=422,
                field="model",
            )
        return priced

    def _before(self, typed: Typed) -> dict[str, int] | None:
        """What holds on that day for that context; None where there is no rate yet."""
        rows = rows_holding(self.rows, typed["starts_on"])
        same = [
            row for row in rows if row.context_above == (typed["context_above"] or 0)
        ]
        return rates_of(same[0]) if same else None

    def _usage(self, priced: PricedModel, now: dt.datetime) -> MonthUsage:
        """Last month's usage that was priced as it; of a new model, that which is called
        so.
        """
        book = read_price_book()

        def is_meant(name: str) -> bool:
            known = book.priced_model(name)
            if self.rows:
                return known == priced
            is_called = canonical(name) in (priced.model, canonical(priced.model))
            return known.model == FALLBACK and is_called

        return usage_of_names(is_meant, now=now)

    def _neighbours(self, typed: Typed, now: dt.datetime) -> Iterator[Effect]:
        """What stands before, after and beside the new rates."""
        starts_on, above = typed["starts_on"], typed["context_above"] or 0
        if starts_on < now.astimezone(dt.UTC).date():
            yield Effect(
                _("The day is past: what is recorded since then keeps its cost."),
                is_warning=True,
            )
        later = [row.starts_on for row in self.rows if row.starts_on > starts_on]
        if later:
            day = format_day(min(later))
            text = _("On %(day)s the rates follow that are set for then.")
            yield Effect(text % {"day": day}, is_warning=True)
        others = [
            row.context_above
            for row in rows_holding(self.rows, starts_on)
            if row.context_above != above
        ]
        if others:
            yield Effect(
                _("Rates for other sizes of context stay as they are: above"),
                after=", ".join(f"{size:,}" for size in others),
            )


def _fallback_text(priced: PricedModel) -> str:
    return _("Unknown models of %(provider)s") % {"provider": priced.provider}


def _rate_effects(
    changes: list[str], before: dict[str, int] | None, after: dict[str, int]
) -> Iterator[Effect]:
    for name in changes:
        was = before[name] if before else None
        times = times_between(was or 0, after[name])
        text = f"{rate_usd(after[name])} ({times})" if times else rate_usd(after[name])
        label = str(RATE_NAMES[name])
        yield Effect(
            label[:1].upper() + label[1:],
            "" if was is None else rate_usd(was),
            text,
            is_warning=_is_unusual(name, was, after[name]),
        )


def _is_unusual(name: str, before: int | None, after: int) -> bool:
    """Nothing at all, or a hundred times more or less."""
    if after == 0:
        return before != 0 or name in CORE
    return is_far(before or 0, after)


def _unusual(
    changes: list[str], before: dict[str, int] | None, after: dict[str, int]
) -> Iterator[str]:
    """What has to be confirmed, in sentences that say what it means."""
    for name in RATE_FIELDS:
        was = before[name] if before else None
        is_free = after[name] == 0 and name in CORE
        if (name in changes or is_free) and _is_unusual(name, was, after[name]):
            yield cost_sentence(name, was, after[name])


def undo_rates(entry: AuditEntry) -> str:
    """The step with the rates of before; empty where there were none."""
    was = entry.from_value
    if not isinstance(was, dict) or "provider" not in was:
        return ""
    about = ("provider", "model", "starts_on", "context_above")
    rates = {name: rate_text(nanos) for name, nanos in was["rates"].items()}
    return step_url(RateStep, **{name: was[name] for name in about}, **rates)
