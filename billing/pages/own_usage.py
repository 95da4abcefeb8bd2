"""Your usage: where a member stands, why they are blocked and until when, by day, and
the latest receipts. Reads only.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.receipts import receipt_of
from billing.pages.going_on import going_on_context
from billing.pages.own_standing import standing_context
from billing.reports.charts import day_sums, split_label
from billing.reports.queries.own import own_month, receipts_page
from billing.reports.queries.splits import Split
from config.kit.dates import day_text
from config.kit.htmx import unchanged_or_html
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
    surfaces = own_month(membership.pk, month=month, by="surface")
    decision = decide(standing)
    context = standing_context(membership, standing, decision, now=now)
    context |= going_on_context(standing, decision, now=now)
    context["surfaces"] = [(split_label(one), one) for one in surfaces]
    if "live" in request.GET and request.htmx:
        return unchanged_or_html(
            request,
            "billing/pages/_own_standing.html",
            context | {"keeps_typing": True, "swap_around": True},
        )
    split = "model" if request.GET.get("split") == "model" else "surface"
    page = receipts_page(membership.pk, page=request.GET.get("page"))
    by_model = split == "model"
    parts = own_month(membership.pk, month=month, by=split) if by_model else surfaces
    context |= _days_context(parts, month=month) | {"split": split}
    context |= {"page": page, "receipts": [receipt_of(event) for event in page]}
    return render(request, "billing/pages/own_usage.html", context)


def _days_context(parts: list[Split], *, month: Month) -> dict[str, Any]:
    """The chart of the month and the same numbers as rows."""
    days = [month.first_on.replace(day=number) for number in range(1, month.days + 1)]
    return {
        "chart": _chart(parts, days),
        "totals": [(split_label(part), part) for part in parts],
        "rows": [
            (day, [part.by_day.get(day, 0) for part in parts])
            for day in days
            if any(part.by_day.get(day) for part in parts)
        ],
    }


def _chart(parts: list[Split], days: list[dt.date]) -> dict[str, Any]:
    return {
        "kind": "money",
        "labels": [day.day for day in days],
        "titles": [day_text(day) for day in days],
        "series": [
            {
                "label": split_label(part),
                "slot": part.slot,
                "values": [to_decimal_text(part.by_day.get(day, 0)) for day in days],
            }
            for part in parts
        ],
        "sums": day_sums(
            sum(part.by_day.get(day, 0) for part in parts) for day in days
        ),
        "projected": None,
        "pace": None,
        "mark": None,
    }
