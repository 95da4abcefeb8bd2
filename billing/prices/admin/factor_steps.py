"""Setting a factor (M3a): typed as what it multiplies by, previewed with the models and
the usage it is for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actions.audit import Actor
from accounts.admin.steps.base import Typed, refuse_no_change
from accounts.models import AuditEntry
from accounts.panels import Effect
from billing.models import Condition, PriceFactor
from billing.prices.actions import enter_factor
from billing.prices.admin.effects import last_month_times
from billing.prices.admin.steps import Asked, CatalogPreview, CatalogStep, step_url
from billing.prices.forms import FactorForm
from billing.prices.queries import read_price_book
from billing.prices.queries.published import PublishedFactor
from billing.prices.queries.usage import usage_of_names
from billing.prices.rules import FALLBACK, ONE, PriceBook
from billing.prices.words import rate_usd, times_between, times_text
from config.kit.dates import format_day
from config.kit.money import NANOS_PER_USD

KEY = ("condition", "value", "pattern", "starts_on")
# What a factor mostly is: half (batches) to six times (fast mode).
FAR = 10


class FactorStep(CatalogStep):
    name, model, permission = (
        "billing_pricefactor_set",
        PriceFactor,
        "billing.change_pricefactor",
    )
    label = gettext_lazy("Set a factor")
    foot = gettext_lazy(
        "The old factor stays as history and the nightly synchronisation leaves yours "
        "alone. Usage that is recorded keeps its cost: “manage.py reprice_events” books "
        "differences, with --dry-run it only shows them."
    )

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.rows = _rows_in_force(asked)

    def form(self, data: Any, now: dt.datetime) -> FactorForm:
        """With the factor of now; one that there is can't be mistyped as another."""
        today = now.astimezone(dt.UTC).date()
        row = self._holding(today) or (self.rows[0] if self.rows else None)
        known: Typed = {"starts_on": today.isoformat()}
        if row is not None:
            known |= {
                "millionths": times_text(row.millionths),
                "reference": row.reference,
            }
        form = FactorForm(data, initial=known | dict(self.asked))
        if self.rows:
            for name in KEY[:3]:
                form.fields[name].disabled = True
        return form

    def _holding(self, on: dt.date) -> PriceFactor | None:
        rows = [row for row in self.rows if row.starts_on <= on]
        return rows[-1] if rows else None

    def preview(self, typed: Typed, now: dt.datetime) -> CatalogPreview:
        """Before and after, for which models, and at most what of last month."""
        if not self.rows:
            self.rows = _rows_in_force(typed)
        row = self._holding(typed["starts_on"])
        before, after = (row.millionths if row else None), typed["millionths"]
        refuse_no_change(before != after, "millionths")
        book = read_price_book()
        usage = usage_of_names(
            lambda name: fnmatchcase(book.priced_model(name).path, typed["pattern"]),
            now=now,
        )
        title = _("%(condition)s: %(value)s would cost × %(times)s from %(day)s on.")
        words = {
            "condition": dict(Condition.choices)[typed["condition"]],
            "value": typed["value"],
            "times": times_text(after),
            "day": format_day(typed["starts_on"]),
        }
        effects = [
            _change(before, after),
            *self._neighbours(typed, now),
            _matched(book, typed["pattern"]),
            *last_month_times(usage, before or ONE, after),
        ]
        return CatalogPreview(
            title % words,
            effects,
            sure=_unusual(before, after),
            button=_("Set the factor"),
            basis=before,
        )

    def _neighbours(self, typed: Typed, now: dt.datetime) -> Iterator[Effect]:
        """What is recorded before, and what follows."""
        if typed["starts_on"] < now.astimezone(dt.UTC).date():
            yield Effect(
                _("The day is past: what is recorded since then keeps its cost."),
                is_warning=True,
            )
        later = [r.starts_on for r in self.rows if r.starts_on > typed["starts_on"]]
        if later:
            text = _("On %(day)s the factor follows that is set for then.")
            yield Effect(text % {"day": format_day(later[0])}, is_warning=True)

    def take(self, typed: Typed, *, actor: Actor, now: dt.datetime) -> str:
        """By the act."""
        names = (*KEY, "millionths", "reference")
        factor = PublishedFactor(*(typed[name] for name in names))
        enter_factor(factor, actor=actor, now=now)
        return _(
            "The factor of %(value)s is set. Usage that is recorded keeps its cost; "
            "“manage.py reprice_events --dry-run” shows what it would book."
        ) % {"value": typed["value"]}


def _rows_in_force(about: Mapping[str, Any]) -> list[PriceFactor]:
    """The factors of a condition, value and pattern, by start."""
    key = {name: about.get(name, "") for name in KEY[:3]}
    rows = PriceFactor.objects.in_force().filter(**key)
    return list(rows.order_by("starts_on"))


def _change(before: int | None, after: int) -> Effect:
    label = _("Tokens are multiplied by")
    if before is None:
        none = _("nothing (counted as × 1)")
        return Effect(label, none, f"× {times_text(after)}", _is_unusual(None, after))
    times = times_between(before, after)
    text = f"× {times_text(after)} ({times})"
    return Effect(label, f"× {times_text(before)}", text, _is_unusual(before, after))


def _is_unusual(before: int | None, after: int) -> bool:
    """Ten times more or less, than it was or than the rates."""
    return any(
        after >= FAR * base or after * FAR <= base for base in (before or ONE, ONE)
    )


def _unusual(before: int | None, after: int) -> str:
    if not _is_unusual(before, after):
        return ""
    return _("Tokens that cost $10.00 at × 1 would cost %(amount)s.") % {
        "amount": rate_usd(10 * after * NANOS_PER_USD // ONE)
    }


def _matched(book: PriceBook, pattern: str) -> Effect:
    """How many models of the price list it is for."""
    paths = [one.path for one in book.histories if one.model != FALLBACK]
    matched = sorted(path for path in paths if fnmatchcase(path, pattern))
    if not matched:
        text = _("The price list has no model like “%(pattern)s”.")
        return Effect(text % {"pattern": pattern}, is_warning=True)
    number = ngettext("%(number)d model", "%(number)d models", len(matched))
    shown = ", ".join(matched[:3]) + (" …" if len(matched) > 3 else "")
    label = number % {"number": len(matched)}
    return Effect(f"{label}: {shown}", is_warning=len(matched) == len(paths))


def undo_factor(entry: AuditEntry) -> str:
    """The step with the factor of before; a factor that was not there becomes 1."""
    now, was = entry.to_value, entry.from_value
    if not isinstance(now, dict) or "condition" not in now:
        return ""
    times = times_text(was["millionths"] if isinstance(was, dict) else ONE)
    return step_url(FactorStep, **{name: now[name] for name in KEY}, millionths=times)
