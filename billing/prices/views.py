"""Prices, for every member: what each model costs, with dates, and what their seats
include (M2, M3a, I1). Reads only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Organization, Tier
from billing.models import PriceList, SeatAllowance
from billing.models.prices import SINCE_ALWAYS
from billing.prices.queries import price_book
from billing.prices.queries.catalog import (
    ListedModel,
    all_models,
    allowances_of_plan,
    models_called,
    models_used,
    names_used,
    rates_of_model,
)
from billing.prices.rules import PriceBook, PricedModel
from config.kit.csv_files import Amount, streamed
from config.kit.months import first_of_month, local_day, previous_month

PAGE_SIZE = 50
# Columns of the file, by field: USD per million tokens, per thousand searches.
RATE_COLUMNS = {
    "input_nanos": "input_usd_per_million",
    "output_nanos": "output_usd_per_million",
    "cache_write_5m_nanos": "cache_write_5m_usd_per_million",
    "cache_write_1h_nanos": "cache_write_1h_usd_per_million",
    "cache_read_nanos": "cache_read_usd_per_million",
    "web_search_nanos": "web_search_usd_per_thousand",
}


@member_page(is_shown_to_operators=True)
@require_safe
def prices(request: MemberRequest, membership: Membership) -> HttpResponseBase:
    """The list: what the organization used since last month, or every model."""
    now = timezone.now()
    organization = membership.organization
    book = _book()
    used = _used(organization, book, now=now)
    q = request.GET.get("q", "").strip()[:100]
    shows_all = bool(q) or not used or request.GET.get("which") == "all"
    models = _every(book, used, now=now) if shows_all else used
    models = models_called(models, q)
    if request.GET.get("format") == "csv":
        return streamed(_rows(models), name=f"prices-{_utc_date(now)}")
    page = Paginator(models, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "organization": organization,
        "page": page,
        "q": q,
        "which": "all" if shows_all else "used",
        "used_count": len(used),
        "on": _utc_date(now),
    }
    name = "_price_list" if request.htmx else "prices"
    if not request.htmx:
        context |= _included(membership)
    return render(request, f"billing/prices/{name}.html", context)


@member_page(is_shown_to_operators=True)
@require_safe
def model_prices(
    request: MemberRequest, membership: Membership, provider: str, model: str
) -> HttpResponse:
    """One model: every rate with its date and context, and its factors."""
    try:
        rates = rates_of_model(PricedModel(provider, model))
    except LookupError as error:
        raise Http404 from error
    now = timezone.now()
    on = _utc_date(now)
    used = _used(membership.organization, _book(), now=now)
    called = [one.called for one in used if one.priced == rates.priced]
    holding = [row.starts_on for row in rates.rows if row.starts_on <= on]
    context: dict[str, Any] = {
        "organization": membership.organization,
        "rates": rates,
        "called": [
            name for names in called for name in names if name != rates.priced.model
        ],
        "holding_since": max(holding, default=None),
    }
    return render(request, "billing/prices/model.html", context)


def _book() -> PriceBook:
    version = PriceList.objects.values_list("version", flat=True).first()
    return price_book(version or 0)


def _utc_date(now: dt.datetime) -> dt.date:
    return now.astimezone(dt.UTC).date()


def _used(
    organization: Organization, book: PriceBook, *, now: dt.datetime
) -> list[ListedModel]:
    """What was used this month or last, in the organization's zone."""
    today = local_day(now, organization.zone_at(now))
    since = previous_month(first_of_month(today))
    names = names_used(organization.pk, since=since)
    return models_used(names, book, on=_utc_date(now))


def _every(
    book: PriceBook, used: list[ListedModel], *, now: dt.datetime
) -> list[ListedModel]:
    """All models; those that were used say by which names."""
    by_model = {one.priced: one for one in used}
    every = all_models(book, on=_utc_date(now))
    return [by_model.get(one.priced, one) for one in every]


def _included(membership: Membership) -> dict[str, Any]:
    """What the seats of the plan include: a row a tier, a column a window."""
    tiers: dict[str, list[SeatAllowance]] = {}
    for allowance in allowances_of_plan(membership.organization.plan):
        tiers.setdefault(allowance.seat_tier, []).append(allowance)
    seats = [
        {
            "label": Tier(tier).label,
            "is_own": tier == membership.seat_tier,
            "allowances": allowances,
        }
        for tier, allowances in tiers.items()
    ]
    return {"seats": seats, "windows": next(iter(tiers.values()), [])}


def _rows(models: list[ListedModel]) -> Iterator[list[Any]]:
    """The list as a file; its heads are what the rates are called in the API."""
    yield ["provider", "model", "starts_on", *RATE_COLUMNS.values()]
    for one in models:
        rates = [Amount(getattr(one.rates, field)) for field in RATE_COLUMNS]
        starts_on = one.rates.starts_on
        since = "" if starts_on == SINCE_ALWAYS else starts_on
        yield [one.priced.provider, one.priced.model, since, *rates]
