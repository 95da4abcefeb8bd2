"""Models nobody has a price for: a list, and a step that says what each is the same as
(M4, M4a) and books the difference.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actions.audit import Actor
from accounts.admin.steps.base import ReasonForm, Typed, refuse_no_change
from accounts.panels import Effect
from billing.metering.actions.repricing import Repriced, reprice_events
from billing.metering.queries.unknown import (
    missing_factors,
    spellings_in_use,
    unknown_models,
)
from billing.models import UnknownModel
from billing.prices.admin.name_steps import NameStep, priced_as, priced_models
from billing.prices.admin.steps import CatalogPreview, step_page
from billing.prices.forms import NameForm
from billing.prices.queries import read_price_book
from billing.prices.rules.names import canonical
from config.kit.admin import ReadOnly
from config.kit.money import format_usd

# Of organizations a preview names the dearest.
SHOWN = 10


class SameAsStep(NameStep):
    """A name that is charged at a fallback rate: its events are adjusted as well."""

    model = UnknownModel
    label = gettext_lazy("Is the same as")
    foot = gettext_lazy(
        "The differences are booked at once, to this month of each organization. Owners "
        "read it in their activity and get a mail. More events may have come in by then."
    )
    is_live = False

    def form(self, data: Any, now: dt.datetime) -> ReasonForm:
        """About the name that was pressed."""
        form = NameForm(data)
        form.fields["name"].widget.attrs["readonly"] = True
        return form

    def preview(self, typed: Typed, now: dt.datetime) -> CatalogPreview:
        """What it would book, by a dry run."""
        name, same_as = typed["name"], priced_as(typed["same_as"])
        book = read_price_book()
        alias = book.aliases.get(canonical(name))
        refuse_no_change(alias != same_as, "same_as")
        would = reprice_events(
            now=now,
            dry_run=True,
            models=spellings_in_use(name),
            book=book.with_alias(name, same_as),
        )
        title = _("“%(name)s” would be priced as %(model)s.")
        return CatalogPreview(
            title % {"name": name, "model": same_as.path},
            list(_effects(would)),
            button=_("Save and adjust"),
            basis=alias,
        )

    def after(self, done: str, typed: Typed, actor: Actor, now: dt.datetime) -> str:
        """Book the differences, each organization under its own lock."""
        spellings = spellings_in_use(typed["name"])
        booked = reprice_events(now=now, models=spellings, actor=actor)
        text = ngettext(
            "%(count)s event was adjusted, %(amount)s in total.",
            "%(count)s events were adjusted, %(amount)s in total.",
            booked.adjusted,
        ) % {"count": f"{booked.adjusted:,}", "amount": format_usd(booked.nanos)}
        return f"{done} {text}"


def _effects(would: Repriced) -> Iterator[Effect]:
    """How many events and how much, and whose."""
    text = ngettext(
        "%(count)s event would be adjusted, %(amount)s in total.",
        "%(count)s events would be adjusted, %(amount)s in total.",
        would.adjusted,
    )
    amount = format_usd(would.nanos)
    yield Effect(text % {"count": f"{would.adjusted:,}", "amount": amount})
    dearest = sorted(would.by_organization.items(), key=lambda one: -abs(one[1][1]))
    for slug, (events, nanos) in dearest[:SHOWN]:
        label = ngettext(
            "%(slug)s, %(count)s event", "%(slug)s, %(count)s events", events
        )
        words = {"slug": slug, "count": f"{events:,}"}
        yield Effect(label % words, after=format_usd(nanos))
    if len(dearest) > SHOWN:
        more = _("And %(number)s more organizations.")
        yield Effect(more % {"number": f"{len(dearest) - SHOWN:,}"})


@admin.register(UnknownModel)
class UnknownModelAdmin(ReadOnly, admin.ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        """The list is a page of its own."""
        view = self.admin_site.admin_view(self.models_page)
        view.access = "operators"  # type: ignore[attr-defined]
        return [path("", view, name="billing_unknownmodel_changelist")]

    def models_page(self, request: HttpRequest) -> HttpResponse:
        """The list; a press of “is the same as” leads to the step."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return step_page(self.admin_site, request, SameAsStep)
        book = read_price_book()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Unknown models"),
            "opts": self.model._meta,
            "models": unknown_models(book),
            "factors": missing_factors(book),
            "prices": priced_models(),
            "may_map": request.user.has_perm(SameAsStep.permission),
            "may_set_factors": request.user.has_perm("billing.change_pricefactor"),
        }
        return render(request, "admin/billing/unknown_models.html", context)
