"""Simulated work: each working hour people send requests, as far as a check lets them,
through the real recorder.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from accounts.models import Membership, Organization, Tier
from billing.funding.queries import standing_of, standings_for
from billing.funding.rules.decision import decide
from billing.metering.actions.recording import Recorded, record_usage
from billing.metering.rules.events import ReportedEvent
from billing.prices.rules import Usage
from config.kit.sql import refresh_statistics

MODELS = {"claude-sonnet-5": 6, "claude-opus-5": 3, "claude-haiku-4-5": 3}
PROJECTS = ("checkout", "search", "mobile", "data-platform")
# How much of a day's work falls on Monday to Sunday.
WEEKDAYS = (0.9, 1.0, 1.1, 1.05, 0.8, 0.12, 0.1)
SUNDAY = 6
HOURS = range(8, 20)


# A moment, and what happens then.
Happening = tuple[dt.datetime, Callable[[dt.datetime], None]]


@dataclass(frozen=True, slots=True)
class Worker:
    """A member with how many requests an hour they send on an ordinary day, and how
    large they are.
    """

    membership_id: int
    pace: float
    size: float = 1.0


def workers_of(memberships: list[Membership], *, pick: random.Random) -> list[Worker]:
    """Each member's pace: some work all day with it, most now and then; premium seats
    went to those who need more.
    """
    paces = {
        member.pk: pick.choice([0.03, 0.1, 0.2, 0.35, 0.5, 0.8])
        for member in memberships
    }
    return [
        Worker(member.pk, max(paces[member.pk], 0.5), 4.5)
        if member.seat_tier == Tier.PREMIUM
        else Worker(member.pk, paces[member.pk])
        for member in memberships
    ]


class Simulation:
    """One organization's usage, hour by hour; the same seed gives the same usage."""

    def __init__(
        self,
        organization: Organization,
        workers: list[Worker],
        *,
        pick: random.Random,
        after_hour: Callable[[Recorded, dt.datetime], None] = lambda recorded, now: (
            None
        ),
    ) -> None:
        self.organization = organization
        self.workers = workers
        self.pick = pick
        self.number = 0
        self.after_hour = after_hour

    def run(
        self,
        *,
        first_on: dt.date,
        until: dt.datetime,
        happenings: Sequence[Happening] = (),
    ) -> None:
        """From the local day `first_on` to the instant `until`, with what else happens
        at the first hour after its moment.
        """
        waiting = sorted(happenings, key=lambda one: one[0])
        zone = ZoneInfo(self.organization.timezone)
        day = first_on
        while day <= until.astimezone(zone).date():
            for hour in HOURS:
                start = dt.datetime.combine(day, dt.time(hour), zone).astimezone(dt.UTC)
                while waiting and waiting[0][0] <= start <= until:
                    waiting.pop(0)[1](start)
                if start + dt.timedelta(hours=1) <= until:
                    self._hour(start, busy=WEEKDAYS[day.weekday()])
            if day.weekday() == SUNDAY:
                refresh_statistics()
            day += dt.timedelta(days=1)
        for _moment, happen in waiting:
            happen(until)

    def _hour(self, start: dt.datetime, *, busy: float) -> None:
        at_work = [
            worker for worker in self.workers if self.pick.random() < worker.pace * busy
        ]
        if not at_work:
            return
        now = start + dt.timedelta(hours=1)
        standings = standings_for(
            self.organization.pk,
            [worker.membership_id for worker in at_work],
            now=start,
        )
        allowed = [
            worker
            for worker in at_work
            if decide(standings[worker.membership_id]).allowed
        ]
        if allowed:
            recorded = record_usage(
                [self._event(worker, start) for worker in allowed],
                organization_id=self.organization.pk,
                now=now,
            )
            self.after_hour(recorded, now)

    def _event(self, worker: Worker, start: dt.datetime) -> ReportedEvent:
        self.number += 1
        surface = self._surface(self.pick.random())
        return ReportedEvent(
            id=f"demo-{self.organization.slug}-{self.number:06d}",
            member=str(worker.membership_id),
            surface=surface,
            model=self.pick.choices(list(MODELS), list(MODELS.values()))[0],
            occurred_at=start + dt.timedelta(seconds=self.pick.randint(0, 3_599)),
            usage=self._usage(surface, worker.size),
            labels={"project": self.pick.choice(PROJECTS)},
        )

    def _surface(self, luck: float) -> str:
        """Most of it is coding, a little in an editor of another maker."""
        if luck < 0.62:
            return "claude_code"
        return "claude" if luck < 0.93 else "cursor"

    def _usage(self, surface: str, scale: float) -> Usage:
        """An hour of coding sends far more context than an hour of chatting, most of it
        from the cache.
        """
        size = (
            scale * self.pick.uniform(0.4, 1.8) * (3 if surface == "claude_code" else 1)
        )
        return Usage(
            input_tokens=int(28_000 * size),
            output_tokens=int(7_000 * size),
            cache_write_5m_tokens=int(12_000 * size) if surface == "claude_code" else 0,
            cache_read_tokens=int(160_000 * size) if surface == "claude_code" else 0,
            web_searches=self.pick.choice([0, 0, 0, 1, 3]),
        )


def use_everything_up(membership: Membership, *, now: dt.datetime) -> None:
    """Send requests for one member until a check refuses the next, so that the demo has
    somebody who is blocked now.
    """
    organization = membership.organization
    month = organization.calendar.month_at(now)
    name = membership.user.email.partition("@")[0]
    for number in range(200):
        standing = standing_of(membership.pk, organization_id=organization.pk, now=now)
        if not decide(standing).allowed:
            return
        occurred_at = max(
            month.start,
            now - dt.timedelta(minutes=70) + dt.timedelta(seconds=number * 90),
        )
        event = ReportedEvent(
            id=f"demo-{organization.slug}-{name}-{number:03d}",
            member=str(membership.pk),
            surface="claude_code" if number % 4 else "claude",
            model="claude-opus-5" if number % 3 else "claude-sonnet-5",
            occurred_at=min(occurred_at, now),
            usage=Usage(
                input_tokens=188_412 + 911 * number, output_tokens=9_116 + 37 * number
            ),
            labels={"project": "checkout"},
        )
        record_usage([event], organization_id=organization.pk, now=now)
    raise RuntimeError("The demo member could not be blocked.")
