"""Settings › Usage of a month that is over, as it was: its figures, caps and people of
then, closed or not yet. Reads only.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Any

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from accounts.models import Membership, Organization, Plan, Role, Tier
from billing.caps.queries.history import CapsThen, caps_then
from billing.documents.queries.documents import PAGE_SIZE as LINES
from billing.documents.queries.documents import first_lines
from billing.documents.queries.month_state import MonthState, month_state
from billing.documents.words.documents import state_text
from billing.notices.queries.stops import Stop, stops_in
from billing.pages.day_part import days_context
from billing.pages.past_rows import (
    COLUMNS,
    STOPPED,
    PastFilter,
    PastRow,
    past_filter_of,
    past_rows,
    sorted_rows,
)
from billing.reports.bars import bar, row_bar
from billing.reports.charts import days_chart
from billing.reports.filters import page_of
from billing.reports.queries.members import PAGE_SIZE, REMOVED
from billing.reports.queries.month import MonthSummary, past_month_summary
from billing.reports.queries.month_list import began_on, organization_months
from billing.reports.queries.one_day import people_on
from billing.reports.rules.chosen_month import ChosenMonth, chosen_month
from billing.reports.words import MonthAnswer
from billing.reports.words.months import MonthSwitch, month_switch
from billing.reports.words.past_month import (
    against_before_text,
    closing_text,
    past_answer,
)
from config.kit.dates import zone_city_text
from config.kit.months import Month


class ChosenUsage:
    """Which month of an organization a reader asked for, and the switch to the others."""

    def __init__(
        self, organization: Organization, query: QueryDict, *, current_on: dt.date
    ) -> None:
        self.organization = organization
        self.query = query
        self.sums = organization_months(organization.pk)
        self.chosen: ChosenMonth = chosen_month(
            query.get("month", ""),
            current_on=current_on,
            began_on=began_on(organization, self.sums),
        )

    @property
    def is_past(self) -> bool:
        """Whether it is a month that is over."""
        return not self.chosen.is_current

    @property
    def switch(self) -> MonthSwitch:
        """The switch of the page."""
        path = reverse("usage_settings", args=[self.organization.slug])
        return month_switch(self.chosen, self.sums, path=path, query=self.query)


class PastMonth:
    """One past month as one reader sees it; queries run when a value is first needed."""

    def __init__(self, membership: Membership, chosen: ChosenUsage) -> None:
        self.membership = membership
        self.organization = membership.organization
        self.chosen = chosen
        self.can_edit = membership.is_at_least(Role.OWNER)

    @cached_property
    def month(self) -> Month:
        """The month, in the zone its days had."""
        month: Month = self.organization.calendar.month(self.chosen.chosen.first_on)
        return month

    @cached_property
    def caps(self) -> CapsThen:
        """The caps as it ended."""
        return caps_then(self.organization.pk, month=self.month)

    @cached_property
    def stops(self) -> list[Stop]:
        """Whom a cap stopped, where it was noticed."""
        return stops_in(self.organization.pk, month_on=self.month.first_on)

    @cached_property
    def state(self) -> MonthState:
        """Whether it is closed, and its document."""
        return month_state(self.organization, month_on=self.month.first_on)

    @cached_property
    def summary(self) -> MonthSummary:
        """Its figures, against the cap as it ended."""
        return past_month_summary(
            self.organization.pk,
            month=self.month,
            spent_nanos=self.chosen.sums.get(self.month.first_on, 0),
            cap_nanos=self.caps.organization.amount_nanos
            if self.caps.is_known
            else None,
        )

    @cached_property
    def rows(self) -> list[PastRow]:
        """Everybody with usage in it."""
        return past_rows(
            self.organization, month=self.month, caps=self.caps, stops=self.stops
        )

    def shared(self) -> dict[str, Any]:
        """What every part needs."""
        return {
            "organization": self.organization,
            "month": self.month,
            "asked": f"{self.month.first_on:%Y-%m}",
            "zone_city": zone_city_text(self.month.zone),
            "can_edit": self.can_edit,
            "caps": self.caps,
            "state": self.state,
            "switch": self.chosen.switch,
        }

    def month_part(self) -> dict[str, Any]:
        """The panel: how it ended, its days, its document, who was stopped."""
        summary, verdict = self.summary, self.summary.verdict
        days = days_context(
            self.organization, summary, query=self.chosen.query, stops=self.stops
        )
        pace = verdict.cap_nanos // self.month.days if verdict.cap_nanos else None
        return {
            **self.shared(),
            **days,
            **self._stats(),
            "summary": summary,
            "verdict": verdict,
            "answer": self._answer(),
            "bar": bar(summary.spent_nanos, cap_nanos=verdict.cap_nanos),
            "chart": days_chart(summary, opens=True, chosen_on=days["chosen_on"]),
            "cap_pace_nanos": pace,
        }

    def _answer(self) -> MonthAnswer:
        detail = closing_text(
            self.month, is_closed=self.state.is_closed, frozen_at=self.state.frozen_at
        )
        return past_answer(self.summary, cap_is_known=self.caps.is_known, detail=detail)

    def _stats(self) -> dict[str, Any]:
        """Beside the chart: the document, the month before, the busiest day, the stopped."""
        busiest, invoice = self.summary.busiest, self.state.invoice
        return {
            "against_before": against_before_text(self.summary),
            "busiest": busiest,
            "busiest_people": people_on(self.organization.pk, on=busiest.on)
            if busiest
            else 0,
            "stopped": sum(row.stopped_on is not None for row in self.rows),
            "people": len(self.rows),
            "invoice_state": state_text(invoice) if invoice else "",
        }

    @property
    def _unattributed_nanos(self) -> int:
        """What of the month is nobody's (X2), and so in no row."""
        spent_nanos = sum(row.person.spent_nanos for row in self.rows)
        return self.summary.spent_nanos - spent_nanos

    def caps_part(self) -> dict[str, Any]:
        """The caps as they stood when the month ended."""
        seats = []
        if self.organization.plan == Plan.ENTERPRISE_SEAT:
            seats = [(tier.label, self.caps.of_seat(tier)) for tier in Tier]
        steps = self.caps.steps
        return {
            "organization_cap": self.caps.organization,
            "seats": seats,
            "own_caps": len(self.caps.own),
            "first_step": steps[0] if steps else None,
            "last_step": steps[-1] if steps else None,
            "steps": len(steps),
        }

    def found(self, filters: PastFilter) -> list[PastRow]:
        """The rows that a filter leaves, in its order."""
        rows = [
            row for row in self.rows if filters.finds(row) and filters.has_state(row)
        ]
        return sorted_rows(rows, filters)

    def _lines(self, rows: list[PastRow]) -> dict[int, str]:
        """Where the invoice has each person's first line; owners read invoices."""
        invoice = self.state.invoice
        if invoice is None or not self.can_edit:
            return {}
        address = reverse("invoice", args=[self.organization.slug, invoice.number])
        positions = first_lines(invoice, [row.person.id for row in rows])
        return {
            membership_id: f"{address}?page={-(-position // LINES)}#lines"
            for membership_id, position in positions.items()
        }

    def people_part(self, request: HttpRequest) -> dict[str, Any]:
        """One page of the table, as the reader filtered it."""
        filters = past_filter_of(request)
        named = [row for row in self.rows if filters.finds(row)]
        shown = self.found(filters)
        pages = -(-len(shown) // PAGE_SIZE)
        page = page_of(request, pages=pages)
        first = (page - 1) * PAGE_SIZE
        rows = shown[first : first + PAGE_SIZE]
        lines = self._lines(rows)
        month_on = self.month.first_on
        return {
            "filters": filters,
            "rows": [(row, _bar(row), lines.get(row.person.id)) for row in rows],
            "has_lines": bool(lines),
            "number": len(shown),
            "unattributed_nanos": self._unattributed_nanos,
            "counts": {
                "all": len(named),
                STOPPED: sum(row.stopped_on is not None for row in named),
                REMOVED: sum(row.person.removed_at is not None for row in named),
            },
            "first": first + 1,
            "last": first + len(rows),
            "previous": page - 1 if page > 1 else None,
            "next": page + 1 if page < pages else None,
            "filter_address": filters.address(month_on=month_on),
            "heads": [_head(column, filters) for column in COLUMNS],
            "tiers": Tier,
        }


def _bar(row: PastRow) -> Any:
    if row.cap is None:
        return None
    return row_bar(row.person.spent_nanos, cap_nanos=row.cap.amount_nanos)


def _head(column: str, filters: PastFilter) -> dict[str, str]:
    """A head of the table: whether rows are sorted by it, and what a press asks for."""
    descends = column in ("cap", "spend", "stopped")
    if filters.column != column:
        order = f"-{column}" if descends else column
        return {"column": column, "aria_sort": "none", "order": order}
    if filters.is_descending:
        return {"column": column, "aria_sort": "descending", "order": column}
    return {"column": column, "aria_sort": "ascending", "order": f"-{column}"}
