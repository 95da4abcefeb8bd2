"""Your usage: where a member stands, why they are blocked and until when, by day, and
the latest receipts. Reads only.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.receipts import receipt_of
from billing.pages.going_on import going_on_context
from billing.pages.own_standing import standing_context
from billing.pages.person_days import days_context
from billing.pages.person_months import PersonMonths, person_months
from billing.reports.bars import bar
from billing.reports.charts import split_label
from billing.reports.queries.own import own_month, receipts_page
from billing.reports.rules.verdict import judge
from billing.reports.words.months import month_switch
from billing.reports.words.person import own_past_answer
from config.kit.dates import zone_city_text
from config.kit.htmx import unchanged_or_html


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
    months = person_months(membership, standing, request.GET, page="own_usage")
    split = "model" if request.GET.get("split") == "model" else "surface"
    parts = own_month(membership.pk, month=months.month, by=split)
    context |= days_context(parts, month=months.month) | {"split": split}
    context |= months_context(request, membership, months)
    page = receipts_page(membership.pk, page=request.GET.get("page"))
    context |= {"page": page, "receipts": [receipt_of(event) for event in page]}
    return render(request, "billing/pages/own_usage.html", context)


def months_context(
    request: MemberRequest, membership: Membership, months: PersonMonths
) -> dict[str, Any]:
    """The switch and the strip; of a month that is over also how it went."""
    month, chosen = months.month, months.chosen
    spent = months.sums.get(month.first_on, 0)
    cap = months.cap_of(month.first_on)
    stopped = months.stopped.get(month.first_on)
    path = reverse("own_usage", args=[membership.organization.slug])
    return {
        "months": months,
        "switch": month_switch(chosen, months.sums, path=path, query=request.GET),
        "is_past": not chosen.is_current,
        "shown_month": month,
        "zone_city": zone_city_text(month.zone),
        "spent_nanos": spent,
        "verdict": judge(None, cap_nanos=cap, spent_nanos=spent, last_on=month.last_on),
        "bar": bar(spent, cap_nanos=cap),
        "answer": own_past_answer(
            month,
            spent_nanos=spent,
            stopped_on=stopped.on if stopped else None,
            stopped_at=stopped.at if stopped else None,
        ),
    }
