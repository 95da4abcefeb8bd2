"""Who reads a mail about a notice, and what all such mails are made from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.delivery import NothingToSay
from accounts.models import Membership, Organization, Role
from accounts.models.mails import OVERTAKEN
from billing.funding.queries import organization_standing, standing_of
from billing.funding.rules.standing import OrganizationStanding, Standing
from billing.models import Notice, NoticeRecipient
from billing.reports.queries.month import MonthSummary, month_summary
from config.kit.dates import day_text
from config.kit.letters import Fact, Press
from config.kit.links import page_url
from config.kit.money import format_usd, half_even
from config.kit.months import next_month

WEEK = 7


@dataclass
class MailReader:
    """One reader of one notice at one moment; queries run when a value is first needed."""

    notice: Notice
    now: dt.datetime
    membership: Membership | None = None
    outside: NoticeRecipient | None = None

    @property
    def organization(self) -> Organization:
        """Whose notice it is."""
        return self.notice.organization

    @property
    def is_owner(self) -> bool:
        """Whether they can change caps and buy."""
        return self._is_at_least(Role.OWNER)

    @property
    def sees_people(self) -> bool:
        """Whether they may see what each person spends (D3)."""
        return self._is_at_least(Role.ADMIN)

    def _is_at_least(self, role: Role) -> bool:
        return self.membership is not None and self.membership.is_at_least(role)

    @cached_property
    def standing(self) -> OrganizationStanding:
        """The organization as it is now."""
        return organization_standing(self.organization.pk, now=self.now)

    @cached_property
    def summary(self) -> MonthSummary:
        """The month that runs."""
        return month_summary(self.standing, now=self.now)

    @cached_property
    def person(self) -> Standing:
        """Whom the notice is about, as they are now."""
        assert self.notice.membership_id is not None
        return standing_of(
            self.notice.membership_id,
            organization_id=self.organization.pk,
            now=self.now,
        )

    @property
    def is_past(self) -> bool:
        """Whether the notice's month is over."""
        return self.notice.month_on < self.standing.month.first_on

    @property
    def days_left(self) -> str:
        """`with 6 days left`: to be read after an amount."""
        days = self.standing.month.days_left(self.now)
        return ngettext("with %(days)s day left.", "with %(days)s days left.", days) % {
            "days": days
        }

    @property
    def next_month_day(self) -> str:
        """The day on which the month counts from zero."""
        return day_text(next_month(self.standing.month.first_on))

    def show_usage(self) -> Press | None:
        """Where the figures are: Settings › Usage, a member's own page; nowhere for
        whoever has no account here.
        """
        if self.membership is None:
            return None
        page = "usage_settings" if self.sees_people else "own_usage"
        return Press(_("Show usage"), page_url(page, self.organization.slug))

    def week_fact(self) -> Fact:
        """What the last seven whole days came to a day, and those before."""
        today = self.summary.today
        by_day = {
            **self.summary.last_month_by_day,
            **{day.on: day.total_nanos for day in self.summary.days},
        }

        def a_day(first: int) -> str:
            days = [today - dt.timedelta(days=first + one) for one in range(WEEK)]
            return format_usd(half_even(sum(by_day.get(day, 0) for day in days), WEEK))

        return Fact(
            _("Last 7 days"),
            _("%(amount)s a day") % {"amount": a_day(1)},
            _("week before: %(amount)s") % {"amount": a_day(1 + WEEK)},
        )


def overtaken() -> NothingToSay:
    """What a notice said is no longer true."""
    return NothingToSay(OVERTAKEN)


def percent_of(part: int, whole: int) -> int:
    """How much of a limit is spent, rounded down; over 100 where it is passed."""
    return 100 if whole <= 0 else part * 100 // whole
