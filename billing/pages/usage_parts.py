"""What Settings › Usage shows, part by part, as template context.

Reads only; each part can be fetched by itself.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import HttpRequest

from accounts.models import Plan, Tier
from billing.caps.queries.caps import cap_rows
from billing.funding.rules.standing import Cap
from billing.models import CapLevel
from billing.payments.queries.balance import BalanceState
from billing.payments.reader import BalanceReader
from billing.reports.bars import bar, row_bar
from billing.reports.charts import days_chart, waits_chart
from billing.reports.filters import address_of, filter_of, page_of
from billing.reports.queries.month import last_cap_change_at
from billing.reports.queries.people import OFF, PAGE_SIZE, Filter, counts, people
from billing.reports.queries.waits import waits_in
from billing.reports.rules.verdict import State
from config.kit.fields import typed_amount
from config.kit.months import next_month


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

    def balance_part(self) -> dict[str, Any]:
        """The balance with auto-reload, and the one banner that matters; nothing where
        usage is billed afterwards.
        """
        return self.shared() | ({"balance": self.balance} if self.is_prepaid else {})

    def month_part(self) -> dict[str, Any]:
        """The answer of the month, its bar, chart and figures."""
        summary, verdict = self.summary, self.summary.verdict
        return self.balance_part() | {
            "summary": summary,
            "verdict": verdict,
            "bar": bar(
                summary.spent_nanos,
                cap_nanos=verdict.cap_nanos,
                projected_nanos=verdict.projected_nanos,
            ),
            "chart": days_chart(summary),
            "balance_verdict": self._balance_verdict(),
            "nobody_has_it": not self.counts.enabled,
            "is_projected": verdict.projected_nanos is not None,
            "next_month_on": next_month(summary.month.first_on),
            "lasting_text": typed_amount(verdict.lasting_nanos),
            "cap_pace_nanos": verdict.cap_nanos // summary.month.days
            if verdict.cap_nanos
            else None,
            **(self._stopped() if verdict.state is State.STOPPED else {}),
        }

    def _balance_verdict(self) -> str:
        """What the balance makes of the verdict: the worst of cap, balance and switch
        is the one that is told.

        `stopped`, `stop` (it will, with nothing that reloads it), or nothing: then the
        cap has the word.
        """
        if not self.is_prepaid or self.summary.verdict.state is State.STOPPED:
            return ""
        if self.balance.state is BalanceState.GONE:
            return "stopped"
        stops = self.balance.state in (BalanceState.LOW, BalanceState.DECLINED)
        return "stop" if stops else ""

    def _stopped(self) -> dict[str, Any]:
        summary, cap_nanos = self.summary, self.summary.verdict.cap_nanos or 0
        reached_on = summary.reached_on(cap_nanos) if cap_nanos else None
        changed_at = last_cap_change_at(self.standing.id, since=summary.month.start)
        changed_on = summary.month.day_of(changed_at) if changed_at else None
        lowered = bool(reached_on and changed_on and changed_on > reached_on)
        return {"reached_on": reached_on, "lowered_on": changed_on if lowered else None}

    def caps_part(self) -> dict[str, Any]:
        """The settings list: the switch, the organization's cap, the seats' caps."""
        seats = []
        if self.organization.plan == Plan.ENTERPRISE_SEAT:
            seats = [
                {
                    "tier": tier,
                    "cap": self.caps.get((CapLevel.SEAT_TIER, tier)),
                    "people": self.counts.by_seat.get(tier, 0),
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
            counts(self.standing, filters)
            if filters.words or filters.seat
            else self.counts
        )
        number = matching.of(filters.standing)
        pages = -(-number // PAGE_SIZE)
        page = page_of(request, pages=pages)
        rows = people(self.standing, filters, page=page)
        return self.shared() | {
            "filters": filters,
            "matching": matching,
            "number": number,
            "rows": [
                (row, row_bar(row.spent_nanos, cap_nanos=row.cap_nanos)) for row in rows
            ],
            "first": (page - 1) * PAGE_SIZE + 1,
            "last": (page - 1) * PAGE_SIZE + len(rows),
            "previous": page - 1 if page > 1 else None,
            "next": page + 1 if page < pages else None,
            "address": address_of(filters, page=page),
            "filter_address": address_of(filters),
            "heads": heads(filters),
            "has_others": matching.off > 0 or filters.standing == OFF,
            "is_filtered": bool(filters.words or filters.seat or filters.standing),
            "tiers": Tier,
        }

    def off_part(self) -> dict[str, Any]:
        """Before extra usage is on: the organization's own figures as the reason."""
        waits = waits_in(self.organization.pk, month=self.standing.month, now=self.now)
        return self.balance_part() | {
            "waits": waits,
            # Extra usage spent this month means that those who ran out did not only wait.
            "was_on": self.standing.spent_nanos > 0,
            "waits_by_day": sorted(waits.by_day.items()),
            "chart": waits_chart(waits, month=self.standing.month),
        }


FIRST_DESCENDING = {"cap", "spend", "status"}


def heads(filters: Filter) -> list[dict[str, str]]:
    """The table's heads: by which the rows are sorted, and what a press on each asks for."""
    return [
        _head(column, filters)
        for column in ("person", "seat", "cap", "spend", "status")
    ]


def _head(column: str, filters: Filter) -> dict[str, str]:
    if filters.column != column:
        order = f"-{column}" if column in FIRST_DESCENDING else column
        return {"column": column, "aria_sort": "none", "order": order}
    if filters.is_descending:
        return {"column": column, "aria_sort": "descending", "order": column}
    return {"column": column, "aria_sort": "ascending", "order": f"-{column}"}
