"""Settings › Members › one person: where they stand, month by month, by day, model and
surface, their caps and requests over time, the latest receipts. Reads only.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Role
from billing.caps.words.status import state_text
from billing.funding.queries import standing_of
from billing.funding.rules.decision import extra_usage_refusal
from billing.funding.rules.standing import CAP_REASONS, Reason, Standing
from billing.metering.receipts import receipt_of
from billing.pages.own_standing import window_rows
from billing.pages.person_days import days_context
from billing.pages.person_months import PersonMonths, person_months
from billing.pages.person_story import Story, person_story
from billing.reports.bars import bar
from billing.reports.queries.own import own_month, receipts
from billing.reports.queries.person import Place, days_of, parts_of_month, place_of
from billing.reports.rules.projection import project
from billing.reports.rules.verdict import Verdict, judge
from billing.reports.words import MonthAnswer
from billing.reports.words.months import month_switch
from billing.reports.words.person import past_answer, running_answer
from billing.reports.words.report import value_text
from config.kit.dates import zone_city_text
from config.kit.months import Month, previous_month

LATEST = 7
SPLITS = ("model", "surface")


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def member_page_of(
    request: MemberRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Everything about one person, of the month in the address."""
    people = Membership.objects.select_related("user", "organization")
    person = get_object_or_404(
        people, organization=membership.organization, pk=membership_id
    )
    page = PersonPage(person, request.GET, now=timezone.now())
    context = page.context() | {"can_edit": membership.is_at_least(Role.OWNER)}
    return render(request, "billing/pages/person.html", context)


class PersonPage:
    """One person as admins see them; queries run when a value is first needed."""

    def __init__(
        self, person: Membership, query: QueryDict, *, now: dt.datetime
    ) -> None:
        self.person, self.query, self.now = person, query, now
        self.organization = person.organization
        asked = query.get("split", "")
        self.split = asked if asked in SPLITS else SPLITS[0]

    @cached_property
    def standing(self) -> Standing:
        """Where they stand now."""
        return standing_of(
            self.person.pk, organization_id=self.organization.pk, now=self.now
        )

    @cached_property
    def months(self) -> PersonMonths:
        """All their months, and the one that is shown."""
        return person_months(self.person, self.standing, self.query)

    @property
    def month(self) -> Month:
        """The month that is shown."""
        return self.months.month

    @property
    def is_past(self) -> bool:
        """Whether it is a month that is over."""
        return not self.months.chosen.is_current

    @cached_property
    def spent_nanos(self) -> int:
        """What they spent in it."""
        return self.months.sums.get(self.month.first_on, 0)

    @cached_property
    def reason(self) -> Reason | None:
        """What stops extra usage for them now; None for nothing."""
        if not self.person.is_active:
            return Reason.MEMBER_INACTIVE
        return extra_usage_refusal(self.standing)

    @cached_property
    def verdict(self) -> Verdict:
        """The month against the cap that held, or holds."""
        cap = self.months.cap_of(self.month.first_on)
        if self.is_past:
            return judge(
                None,
                cap_nanos=cap,
                spent_nanos=self.spent_nanos,
                last_on=self.month.last_on,
            )
        days = days_of(
            self.person.pk,
            since=previous_month(self.month.first_on),
            until=self.month.last_on,
        )
        projection = project(
            days.by_day,
            spent_nanos=self.spent_nanos,
            today=self.month.day_of(self.now),
            last_on=self.month.last_on,
        )
        return judge(
            projection,
            cap_nanos=cap,
            spent_nanos=self.spent_nanos,
            last_on=self.month.last_on,
        )

    @cached_property
    def answer(self) -> MonthAnswer:
        """The month in one sentence."""
        name = str(self.person.user)
        stopped = self.months.stopped.get(self.month.first_on)
        if self.is_past:
            return past_answer(
                self.month,
                name=name,
                spent_nanos=self.spent_nanos,
                stopped_on=stopped.on if stopped else None,
                stopped_at=stopped.at if stopped else None,
            )
        return running_answer(self.verdict, name=name, stopped=self.state_text)

    @cached_property
    def state_text(self) -> str:
        """Why they are stopped, or without a place; empty for nothing."""
        if self.reason is None:
            return ""
        return state_text(self.reason, is_removed=not self.person.is_active)

    @cached_property
    def place(self) -> Place | None:
        """Which place they have by spend."""
        return place_of(
            self.person.pk,
            organization_id=self.organization.pk,
            month_on=self.month.first_on,
        )

    @cached_property
    def story(self) -> Story:
        """Caps, seats and requests over time."""
        return person_story(self.person, shows_all="history" in self.query)

    def context(self) -> dict[str, Any]:
        """Everything the page shows."""
        found = receipts(self.person.pk)
        latest = [receipt_of(event) for event in found[:LATEST]]
        parts = own_month(self.person.pk, month=self.month, by="surface")
        return {
            "organization": self.organization,
            "person": self.person,
            "standing": self.standing,
            "now": self.now,
            "month": self.month,
            "zone": self.month.zone,
            "zone_city": zone_city_text(self.month.zone),
            "is_past": self.is_past,
            "months": self.months,
            "switch": month_switch(
                self.months.chosen,
                self.months.sums,
                path=reverse(
                    "member_page", args=[self.organization.slug, self.person.pk]
                ),
                query=self.query,
            ),
            "answer": self.answer,
            "verdict": self.verdict,
            "bar": bar(
                self.spent_nanos,
                cap_nanos=self.verdict.cap_nanos,
                projected_nanos=self.verdict.projected_nanos,
            ),
            "spent_nanos": self.spent_nanos,
            "state_text": self.state_text,
            "is_stopped_by_cap": self.reason in CAP_REASONS,
            "place": self.place,
            "windows": [] if self.is_past else window_rows(self.standing, now=self.now),
            "split": self.split,
            "parts": self._parts(),
            "story": self.story,
            "receipts": latest,
            **days_context(parts, month=self.month),
        }

    def _parts(self) -> list[tuple[str, Any]]:
        parts = parts_of_month(
            self.person.pk,
            organization_id=self.organization.pk,
            month=self.month,
            by=self.split,
        )
        return [(value_text(self.split, part.name, {}), part) for part in parts]
