"""What a reported name is the same as (M4a): said, and taken back, previewed with last
month's usage under that name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.audit import Actor
from accounts.admin.steps.base import ReasonForm, Typed, refuse_no_change
from accounts.models import AuditEntry
from accounts.panels import Effect
from billing.models import ModelAlias, ModelPrice
from billing.models.prices import RATE_FIELDS
from billing.prices.actions import end_name, map_name
from billing.prices.admin.effects import last_month_at
from billing.prices.admin.steps import CatalogPreview, CatalogStep, step_url
from billing.prices.forms import EndNameForm, NameForm
from billing.prices.queries import read_price_book
from billing.prices.queries.listing import Listing, prices_listed
from billing.prices.queries.published import SAME_PRICES
from billing.prices.queries.usage import usage_of_names
from billing.prices.rules import FALLBACK, PriceBook, PricedModel
from billing.prices.rules.names import canonical
from billing.prices.words import rate_usd
from config.kit.errors import BusinessError

FOOT = gettext_lazy(
    "It holds from the next event on, for every spelling of the name. Usage that is "
    "recorded keeps its cost: “manage.py reprice_events” books differences, with "
    "--dry-run it only shows them."
)


class NameStep(CatalogStep):
    name, permission = "billing_modelalias_set", "billing.add_modelalias"
    model: ClassVar[type[Model]] = ModelAlias
    label = gettext_lazy("Say what a name is the same as")
    foot = FOOT

    def form(self, data: Any, now: dt.datetime) -> ReasonForm:
        """With what it is the same as now."""
        asked = dict(self.asked)
        row = ModelAlias.objects.filter(name=canonical(asked.get("name", ""))).first()
        known = {"same_as": f"{row.provider}/{row.model}"} if row else {}
        form = NameForm(data, initial=known | asked)
        form.fields["name"].disabled = row is not None
        return form

    def preview(self, typed: Typed, now: dt.datetime) -> CatalogPreview:
        """Which model before and after, and what last month would have cost."""
        same_as = priced_as(typed["same_as"])
        book = read_price_book()
        after = book.with_alias(typed["name"], same_as)
        alias = book.aliases.get(canonical(typed["name"]))
        refuse_no_change(alias != same_as, "same_as")
        title = _("“%(name)s” would be priced as %(model)s.")
        return CatalogPreview(
            title % {"name": typed["name"], "model": same_as.path},
            list(name_effects(typed["name"], book, after, now)),
            button=_("Say so"),
            basis=alias,
        )

    def take(self, typed: Typed, *, actor: Actor, now: dt.datetime) -> str:
        """By the act."""
        same_as = priced_as(typed["same_as"])
        map_name(typed["name"], same_as=same_as, actor=actor, now=now)
        return _("“%(name)s” is priced as %(model)s from now on.") % {
            "name": typed["name"],
            "model": same_as.path,
        }

    def choices(self) -> list[str]:
        """Every current model."""
        return priced_models()


class EndNameStep(CatalogStep):
    name, model, permission = (
        "billing_modelalias_end",
        ModelAlias,
        "billing.delete_modelalias",
    )
    label = gettext_lazy("End what a name is the same as")
    foot = FOOT
    is_danger = True
    is_settled = True

    def form(self, data: Any, now: dt.datetime) -> ReasonForm:
        """About one name."""
        return EndNameForm(data, initial=dict(self.asked))

    def preview(self, typed: Typed, now: dt.datetime) -> CatalogPreview:
        """Which model before and after, and what last month would have cost."""
        name = canonical(typed["name"])
        book = read_price_book()
        if name not in book.aliases:
            text = _("Nobody has said what “%(name)s” is the same as.")
            raise BusinessError(
                text % {"name": name}, code="unknown_name", field="name"
            )
        if name in SAME_PRICES:
            text = _(
                "“%(name)s” is a published name: the next synchronisation would bring it "
                "back. Say what it is the same as instead."
            )
            raise BusinessError(
                text % {"name": name}, code="published_name", field="name"
            )
        after = book.without_alias(name)
        is_unknown = after.priced_model(name).model == FALLBACK
        sure = _("“%(name)s” would be an unknown model, priced at the fallback rates.")
        return CatalogPreview(
            _("“%(name)s” would not be the same as another model.") % {"name": name},
            list(name_effects(name, book, after, now)),
            sure=sure % {"name": name} if is_unknown else "",
            button=_("End it"),
            basis=book.aliases[name],
        )

    def take(self, typed: Typed, *, actor: Actor, now: dt.datetime) -> str:
        """By the act."""
        end_name(typed["name"], actor=actor, now=now)
        return _("“%(name)s” is no longer the same as another model.") % {
            "name": typed["name"]
        }


def priced_as(typed: str) -> PricedModel:
    """`provider/model` of the price list. Raises BusinessError `unknown_price`."""
    provider, _slash, model = typed.strip().partition("/")
    prices = ModelPrice.objects.in_force().filter(provider=provider, model=model)
    if model and prices.exists():
        return PricedModel(provider, model)
    raise BusinessError(
        _(
            "The price list has no model “%(typed)s”. Write provider/model,"
            " such as anthropic/claude-sonnet-5."
        )
        % {"typed": typed.strip()},
        code="unknown_price",
        status=422,
        field="same_as",
    )


def priced_models() -> list[str]:
    """Every current model of the price list, as the form takes it."""
    rows = prices_listed(
        ModelPrice.objects.in_force().exclude(model=FALLBACK), Listing.CURRENT
    )
    pairs = rows.values_list("provider", "model").distinct()
    return [PricedModel(*pair).path for pair in pairs.order_by("provider", "model")]


def name_effects(
    name: str, before: PriceBook, after: PriceBook, now: dt.datetime
) -> Iterator[Effect]:
    """What a name is priced as before and after, and last month's usage under it."""
    was, will = before.priced_model(name), after.priced_model(name)
    yield Effect(_("Priced as"), _model_text(was), _model_text(will))
    rates = [_rates_today(before, was, now), _rates_today(after, will, now)]
    for label, rate in ((_("Input"), "input_nanos"), (_("Output"), "output_nanos")):
        unit = _("%(label)s, per million tokens") % {"label": label}
        yield Effect(unit, rate_usd(rates[0][rate]), rate_usd(rates[1][rate]))
    plain = canonical(name)
    usage = usage_of_names(lambda called: canonical(called) == plain, now=now)
    yield from last_month_at(usage, rates[0], rates[1])
    others = [called for called in usage.names if called != name]
    if others:
        yield Effect(_("Also spelled: %(names)s") % {"names": ", ".join(others[:5])})


def _model_text(priced: PricedModel) -> str:
    if priced.model != FALLBACK:
        return priced.path
    return _("the fallback rates of %(provider)s") % {"provider": priced.provider}


def _rates_today(
    book: PriceBook, priced: PricedModel, now: dt.datetime
) -> Mapping[str, int]:
    on = now.astimezone(dt.UTC).date()
    rates, _is_fallback = book.rates_for(priced, on=on, total_input=0)
    return {name: getattr(rates, name) for name in RATE_FIELDS}


def undo_name(entry: AuditEntry) -> str:
    """The step with what it was the same as; one that meant nothing is ended."""
    if isinstance(entry.from_value, str):
        return step_url(NameStep, name=entry.subject, same_as=entry.from_value)
    return step_url(EndNameStep, name=entry.subject)
