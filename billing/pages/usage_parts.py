"""What Settings › Usage shows, part by part, as template context.

Reads only; each part can be fetched by itself.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Any

from django.http import HttpRequest, QueryDict

from accounts.models import Plan, Tier
from billing.caps.queries.caps import cap_rows
from billing.documents.words.settlement import settlement_text
from billing.funding.rules.standing import Cap
from billing.models import CapLevel
from billing.notices.queries.choices import percents_of, settings_of
from billing.notices.queries.stops import stops_in
from billing.notices.words.banners import (
    Banner,
    low_balance_banner,
    organization_banner,
)
from billing.pages.day_part import day_of, days_context
from billing.payments.queries.balance import BalanceState
from billing.payments.reader import BalanceReader
from billing.payments.words.balance import balance_answer, enable_hint
from billing.reports.bars import bar, row_bar
from billing.reports.charts import days_chart, waits_chart
from billing.reports.filters import address_of, filter_of, page_of
from billing.reports.queries.members import (
    OFF,
    PAGE_SIZE,
    REMOVED,
    MemberFilter,
    member_counts,
    member_rows,
    unattributed_nanos,
)
from billing.reports.queries.month import last_cap_change_at
from billing.reports.queries.waits import waits_in
from billing.reports.rules.verdict import State
from billing.reports.words import (
    MonthAnswer,
    month_answer,
    nobody_answer,
    ran_out_text,
    why_enable,
)
from config.kit.fields import typed_amount


class UsagePage(BalanceReader):
    """Settings › Usage as one reader sees it, part by part."""

    @cached_property
    def caps(self) -> dict[tuple[str, str | None], Cap]:
        """The organization's and the seat tiers' caps."""
        return cap_rows(self.organization.pk, month_on=self.standing.month.first_on)

    @property
    def has_caps_to_show(self) -> bool:
        """Whether caps and table are worth showing while extra usage is off: it was on
        before, or caps were set.
        """
        return (
            self.is_on
            or bool(self.caps)
            or self.summary.spent_nanos > 0
            or self.summary.last_month_nanos > 0
        )

    @cached_property
    def settlement_words(self) -> str:
        """That the settlement changed in this month, and what that makes of it."""
        return settlement_text(self.standing)

    def balance_part(self) -> dict[str, Any]:
        """The balance with auto-reload, and the one banner that matters; nothing where
        usage is billed afterwards.
        """
        return self.shared() | ({"balance": self.balance} if self.is_prepaid else {})

    @cached_property
    def notice_banner(self) -> Banner | None:
        """What an owner should see while it matters: the worst of cap and balance, unless
        the balance has a banner of its own.
        """
        if not self.can_edit or (self.shows_balance and self.banner):
            return None
        settings = settings_of(self.organization.pk)
        of_cap = organization_banner(
            self.standing,
            percents_of(settings).organization,
            lasting_nanos=self.summary.verdict.lasting_nanos,
            now=self.now,
        )
        if of_cap and of_cap.tone == "stop":
            return of_cap
        return self._low_balance(settings.balance_low_nanos) or of_cap

    def _low_balance(self, low_nanos: int | None) -> Banner | None:
        if not self.is_prepaid or not self.is_on:
            return None
        left = self.balance.balance_nanos
        is_low = self.balance.state is BalanceState.LOW or (
            low_nanos is not None
            and left <= low_nanos
            and not self.standing.auto_reload
        )
        return low_balance_banner(left) if is_low and left > 0 else None

    def month_part(self, query: QueryDict | None = None) -> dict[str, Any]:
        """The answer of the month, its bar, chart and figures; with a `query` its bars
        open days, and the one it asks for is open.
        """
        summary, verdict = self.summary, self.summary.verdict
        days = {} if query is None else self._days(query)
        return self.balance_part() | {
            **days,
            "summary": summary,
            "verdict": verdict,
            "answer": self._answer(),
            "bar": bar(
                summary.spent_nanos,
                cap_nanos=verdict.cap_nanos,
                projected_nanos=verdict.projected_nanos,
            ),
            "chart": days_chart(
                summary, opens=bool(days), chosen_on=days.get("chosen_on")
            ),
            "is_projected": verdict.projected_nanos is not None,
            "lasting_text": typed_amount(verdict.lasting_nanos),
            "cap_pace_nanos": verdict.cap_nanos // summary.month.days
            if verdict.cap_nanos
            else None,
            "reached_on": self._reached_on,
            "lowered_on": self._lowered_on,
            "notice_banner": self.notice_banner,
        }

    def _days(self, query: QueryDict) -> dict[str, Any]:
        """The bars' links and the open day; who was stopped is only asked for with one."""
        stops = []
        if day_of(query, self.summary):
            month_on = self.standing.month.first_on
            stops = stops_in(self.organization.pk, month_on=month_on)
        return days_context(self.organization, self.summary, query=query, stops=stops)

    def _answer(self) -> MonthAnswer:
        """The worst of switch, balance and cap is the one that is told."""
        if not self.counts.enabled:
            return nobody_answer(self.standing.scope, can_edit=self.can_edit)
        of_balance = (
            balance_answer(self.balance, self.summary, self.counts)
            if self.is_prepaid
            else None
        )
        return of_balance or month_answer(
            self.summary,
            self.counts,
            reached_on=self._reached_on,
            lowered_on=self._lowered_on,
            can_edit=self.can_edit,
        )

    @cached_property
    def _reached_on(self) -> dt.date | None:
        """When the cap of a stopped month was reached."""
        verdict = self.summary.verdict
        if verdict.state is not State.STOPPED or not verdict.cap_nanos:
            return None
        return self.summary.reached_on(verdict.cap_nanos)

    @cached_property
    def _lowered_on(self) -> dt.date | None:
        """When the cap of a stopped month was set below what had been spent."""
        if self._reached_on is None:
            return None
        month = self.summary.month
        changed_at = last_cap_change_at(self.standing.id, since=month.start)
        changed_on = month.day_of(changed_at) if changed_at else None
        is_lowered = changed_on is not None and changed_on > self._reached_on
        return changed_on if is_lowered else None

    def caps_part(self) -> dict[str, Any]:
        """The settings list: the switch, the organization's cap, the seats' caps."""
        seats = []
        if self.organization.plan == Plan.ENTERPRISE_SEAT:
            seats = [
                {
                    "tier": tier,
                    "cap": self.caps.get((CapLevel.SEAT_TIER, tier)),
                    "people": self.counts.by_seat_tier.get(tier, 0),
                }
                for tier in Tier
            ]
        return self.balance_part() | {
            "organization_cap": self.caps.get((CapLevel.ORGANIZATION, None)),
            "seats": seats,
        }

    def people_part(self, request: HttpRequest) -> dict[str, Any]:
        """One page of the table, as the reader filtered it."""
        filters = filter_of(request)
        matching = (
            member_counts(self.standing, filters)
            if filters.words or filters.seat
            else self.counts
        )
        number = matching.of(filters.state)
        pages = -(-number // PAGE_SIZE)
        page = page_of(request, pages=pages)
        rows = member_rows(self.standing, filters, page=page)
        return self.shared() | {
            "filters": filters,
            "matching": matching,
            "number": number,
            "rows": [
                (
                    row,
                    None
                    if row.is_removed
                    else row_bar(row.spent_nanos, cap_nanos=row.cap_nanos),
                )
                for row in rows
            ],
            "unattributed_nanos": unattributed_nanos(self.standing),
            "first": (page - 1) * PAGE_SIZE + 1,
            "last": (page - 1) * PAGE_SIZE + len(rows),
            "previous": page - 1 if page > 1 else None,
            "next": page + 1 if page < pages else None,
            "address": address_of(filters, page=page),
            "filter_address": address_of(filters),
            "heads": heads(filters),
            "has_others": matching.off > 0 or filters.state == OFF,
            "has_removed": matching.removed > 0 or filters.state == REMOVED,
            "is_filtered": bool(filters.words or filters.seat or filters.state),
            "tiers": Tier,
        }

    def off_part(self) -> dict[str, Any]:
        """Before extra usage is on: the organization's own figures as the reason."""
        waits = waits_in(self.organization.pk, month=self.standing.month, now=self.now)
        # Extra usage spent this month means that those who ran out did not only wait.
        was_on = self.standing.spent_nanos > 0
        return self.balance_part() | {
            "waits": waits,
            "was_on": was_on,
            "ran_out_text": ran_out_text(waits, was_on=was_on),
            "why_enable": why_enable(waits, self.standing),
            "enable_hint": enable_hint(
                self.balance.setup_step if self.is_prepaid else None
            ),
            "waits_by_day": sorted(waits.by_day.items()),
            "chart": waits_chart(waits, month=self.standing.month),
        }


FIRST_DESCENDING = {"cap", "spend", "status"}


def heads(filters: MemberFilter) -> list[dict[str, str]]:
    """The table's heads: by which the rows are sorted, and what a press on each asks for."""
    return [
        _head(column, filters)
        for column in ("person", "seat", "cap", "spend", "status")
    ]


def _head(column: str, filters: MemberFilter) -> dict[str, str]:
    if filters.column != column:
        order = f"-{column}" if column in FIRST_DESCENDING else column
        return {"column": column, "aria_sort": "none", "order": order}
    if filters.is_descending:
        return {"column": column, "aria_sort": "descending", "order": column}
    return {"column": column, "aria_sort": "ascending", "order": f"-{column}"}
