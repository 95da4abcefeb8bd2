"""Your usage: where a member stands, why they are blocked and until when, by day, and
the latest receipts. Reads only.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.receipts import receipt_of
from billing.pages.own_standing import standing_context
from billing.reports.queries.own import SURFACES, OwnMonth, own_month, receipts_page
from config.kit.dates import day_text
from config.kit.money import to_decimal_text
from config.kit.months import Month


@member_page()
@require_safe
def own_usage(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The whole page; `?live=1` answers the part that refreshes by itself."""
    now = timezone.now()
    standing = standing_of(
        membership.pk, organization_id=membership.organization_id, now=now
    )
    month = standing.organization.month
    usage = own_month(membership.pk, month=month)
    context = standing_context(membership, standing, decide(standing), now=now)
    context["surfaces"] = [
        (surface, usage.surface_total(surface)) for surface in SURFACES
    ]
    if "live" in request.GET and request.htmx:
        return render(
            request,
            "billing/pages/_own_standing.html",
            context | {"keeps_typing": True},
        )
    split = "model" if request.GET.get("split") == "model" else "surface"
    page = receipts_page(membership.pk, page=request.GET.get("page"))
    context |= _days_context(usage, month=month, split=split)
    context |= {"page": page, "receipts": [receipt_of(event) for event in page]}
    return render(request, "billing/pages/own_usage.html", context)


def _days_context(usage: OwnMonth, *, month: Month, split: str) -> dict[str, Any]:
    """The chart of the month and the same numbers as rows."""
    series = _series(usage, split=split)
    days = [month.first_on.replace(day=number) for number in range(1, month.days + 1)]
    return {
        "split": split,
        "chart": _chart(series, days),
        "totals": [(name, sum(by_day.values())) for name, by_day in series],
        "rows": [
            (day, [by_day.get(day, 0) for _name, by_day in series])
            for day in days
            if any(by_day.get(day) for _name, by_day in series)
        ],
    }


def _series(usage: OwnMonth, *, split: str) -> list[tuple[str, dict[dt.date, int]]]:
    if split == "model":
        return [(name or _("Other"), days) for name, days in usage.models()]
    return [
        (str(surface.label), usage.by_surface.get(surface, {})) for surface in SURFACES
    ]


def _chart(
    series: list[tuple[str, dict[dt.date, int]]], days: list[dt.date]
) -> dict[str, Any]:
    return {
        "kind": "money",
        "labels": [day.day for day in days],
        "titles": [day_text(day) for day in days],
        "series": [
            {
                "label": name,
                "values": [to_decimal_text(by_day.get(day, 0)) for day in days],
            }
            for name, by_day in series
        ],
        "projected": None,
        "pace": None,
        "mark": None,
    }
