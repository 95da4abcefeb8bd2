"""Models nobody has a price for: a list, and one press that says what each is the same as
(M4, M4a).

The press shows first what it would book, and books it when pressed again.
"""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import operator_of
from accounts.actions.audit import Actor
from billing.metering.actions.repricing import Repriced, reprice_events
from billing.metering.queries.unknown import (
    missing_factors,
    spellings_in_use,
    unknown_models,
)
from billing.models import ModelPrice, UnknownModel
from billing.prices.actions import map_name
from billing.prices.queries import read_price_book
from billing.prices.rules import FALLBACK, PricedModel
from config.kit.admin import ReadOnly
from config.kit.errors import BusinessError
from config.kit.money import format_usd


class SameAsForm(forms.Form):
    """Which model of the price list a reported name means."""

    name = forms.CharField(max_length=300, strip=False, widget=forms.HiddenInput)
    same_as = forms.CharField(max_length=161)

    def clean_same_as(self) -> PricedModel:
        """`provider/model`, in the price list."""
        typed = self.cleaned_data["same_as"].strip()
        provider, _slash, model = typed.partition("/")
        prices = ModelPrice.objects.in_force().filter(provider=provider, model=model)
        if not model or not prices.exists():
            raise forms.ValidationError(
                _(
                    "The price list has no model “%(typed)s”. Write provider/model,"
                    " such as anthropic/claude-sonnet-5."
                )
                % {"typed": typed}
            )
        return PricedModel(provider, model)


@admin.register(UnknownModel)
class UnknownModelAdmin(ReadOnly, admin.ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        """The list is a page of its own."""
        view = self.admin_site.admin_view(self.models_page)
        view.access = "operators"  # type: ignore[attr-defined]
        return [path("", view, name="billing_unknownmodel_changelist")]

    def models_page(self, request: HttpRequest) -> HttpResponse:
        """The list; a press of “is the same as” shows what it would do, then does it."""
        may_map = request.user.has_perm("billing.add_modelalias")
        if not self.has_view_permission(request) or (
            request.method == "POST" and not may_map
        ):
            raise PermissionDenied
        form = SameAsForm(request.POST or None)
        preview = None
        if request.method == "POST" and form.is_valid():
            if "confirm" in request.POST:
                return self._map(request, form)
            preview = _preview(form)
        book = read_price_book()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Unknown models"),
            "opts": self.model._meta,
            "models": unknown_models(book),
            "factors": missing_factors(book),
            "prices": _priced_models(),
            "form": form,
            "preview": preview,
            "may_map": may_map,
        }
        return render(request, "admin/billing/unknown_models.html", context)

    def _map(self, request: HttpRequest, form: SameAsForm) -> HttpResponse:
        now = timezone.now()
        name = form.cleaned_data["name"]
        actor = Actor.person(operator_of(request))
        try:
            map_name(name, same_as=form.cleaned_data["same_as"], actor=actor, now=now)
        except BusinessError as error:
            messages.error(request, error.message)
        else:
            done = reprice_events(now=now, models=spellings_in_use(name), actor=actor)
            messages.success(request, _booked_text(done))
        return HttpResponseRedirect(reverse("admin:billing_unknownmodel_changelist"))


def _preview(form: SameAsForm) -> Repriced:
    """What the press would book."""
    name = form.cleaned_data["name"]
    book = read_price_book().with_alias(name, form.cleaned_data["same_as"])
    return reprice_events(
        now=timezone.now(), dry_run=True, models=spellings_in_use(name), book=book
    )


def _booked_text(done: Repriced) -> str:
    return ngettext(
        "%(count)s event was adjusted, %(amount)s in total.",
        "%(count)s events were adjusted, %(amount)s in total.",
        done.adjusted,
    ) % {"count": f"{done.adjusted:,}", "amount": format_usd(done.nanos)}


def _priced_models() -> list[str]:
    """Every model of the price list, as the form takes it."""
    rows = ModelPrice.objects.in_force().exclude(model=FALLBACK)
    pairs = rows.values_list("provider", "model").distinct()
    return [PricedModel(*pair).path for pair in pairs.order_by("provider", "model")]
