"""Settings › Notices: what an organization's people are told at, who else is told, and
what became of everything that was told in a month. Owners only.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Organization, Plan, Role, Tier
from billing.notices.queries.choices import (
    owners_of,
    percents_of,
    recipients_of,
    settings_of,
    soft_limit_rows,
)
from billing.notices.queries.month import counts_in, row_keys, rows_of
from billing.notices.reader import NoticeReader
from billing.notices.views.channels import channels_part, deliveries_part
from billing.notices.words import notice_title, source_text
from billing.notices.words.deliveries import delivery_words
from config.kit.dates import zone_city_text
from config.kit.htmx import unchanged_or_html
from config.kit.months import Month, month_from_text, next_month, previous_month

PAGE = 50
STATES = ("waiting", "failed")


@member_page(Role.OWNER)
@require_safe
def notices(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The whole page; of a month that is over, what was told alone."""
    page = NoticeReader(membership, timezone.now())
    month = _month_of(request.GET.get("month", ""), page)
    context = _month_context(page, month) | _deliveries(request, page, month)
    if context["is_running"]:
        context |= choices_context(page)
        context |= channels_part(page.organization, now=page.now)
        context |= deliveries_part(
            page.organization,
            which=request.GET.get("which", ""),
            page=request.GET.get("channel_page"),
            now=page.now,
        )
    return render(request, "billing/notices/settings.html", context)


@member_page(Role.OWNER)
@require_safe
def notices_choices(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The list of choices by itself."""
    page = NoticeReader(membership, timezone.now())
    return unchanged_or_html(
        request, "billing/notices/_choices.html", choices_context(page)
    )


def _month_of(typed: str, page: NoticeReader) -> Month:
    """The month an address names; the running one for any other and for the future."""
    first_on = month_from_text(typed)
    if first_on is None or not _began(page.organization) <= first_on <= page.month_on:
        first_on = page.month_on
    month: Month = page.organization.calendar.month(first_on)
    return month


def _began(organization: Organization) -> dt.date:
    """The month in which an organization began."""
    return organization.calendar.month_at(organization.created_at).first_on


def _month_context(page: NoticeReader, month: Month) -> dict[str, Any]:
    is_running = month.first_on == page.month_on
    before = previous_month(month.first_on)
    return {
        "organization": page.organization,
        "month": month,
        "zone": month.zone,
        "zone_city": zone_city_text(month.zone),
        "is_running": is_running,
        "before": before if before >= _began(page.organization) else None,
        "after": None if is_running else next_month(month.first_on),
    }


def _deliveries(
    request: MemberRequest, page: NoticeReader, month: Month
) -> dict[str, Any]:
    """One page of the table, as the reader filtered it."""
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    keys = row_keys(page.organization, month, state)
    counts = counts_in(page.organization, month)
    pages = Paginator(keys, PAGE)
    number = {"": counts.all, "waiting": counts.waiting, "failed": counts.failed}
    pages.count = number[state]  # counted already
    shown = pages.get_page(request.GET.get("page"))
    return {
        "rows_page": shown,
        "told": counts,
        "state": state,
        "rows": [
            {
                "at": row.notice.created_at,
                "title": notice_title(row.notice),
                "source": source_text(row.notice),
                "overtaken_at": row.notice.overtaken_at,
                "words": delivery_words(row, zone=month.zone, now=page.now),
            }
            for row in rows_of(list(shown))
        ],
    }


def choices_context(page: NoticeReader) -> dict[str, Any]:
    """Thresholds, soft limits and recipients."""
    settings = settings_of(page.organization.pk)
    standing = page.standing
    limits = soft_limit_rows(standing)
    return page.shared() | {
        "percents": percents_of(settings),
        "low_nanos": settings.balance_low_nanos,
        "limits": [
            {
                "row": row,
                "name": _limit_name(row.limit, page.organization),
                "reached_on": page.summary.reached_on(row.limit.amount_nanos)
                if row.is_reached and row.limit.level == "organization"
                else None,
            }
            for row in limits
        ],
        "owners": owners_of(page.organization),
        "recipients": recipients_of(page.organization),
        "has_tiers": page.organization.plan == Plan.ENTERPRISE_SEAT,
        "zone": standing.month.zone,
    }


def _limit_name(limit: Any, organization: Organization) -> str:
    if limit.membership is not None:
        return str(limit.membership.user)
    if limit.seat_tier:
        return Tier.label_of(limit.seat_tier)
    return str(organization.name)
