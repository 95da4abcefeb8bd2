"""Two hundred organizations whose months are due to close, and a few that may not close
yet: all plans and settlements, several zones, some with a month that was missed,
some without any usage.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization, Plan, Role, Settlement, User
from billing.documents.closing import close_due
from billing.ledger.actions import post_entry
from billing.metering.actions.recording import record_usage
from billing.metering.rules.events import ReportedEvent
from billing.models import BillingAccount, EntryKind, SeatAllowance
from billing.prices.rules import Usage
from config.kit.money import usd

DUE, NOT_DUE, MEMBERS = 200, 6, 3
DECEMBER, END_OF_DECEMBER = dt.date(2026, 12, 1), dt.datetime(2027, 1, 2, tzinfo=dt.UTC)
JANUARY, FEBRUARY, MARCH = (dt.date(2027, month, 1) for month in (1, 2, 3))
NEW_YORK, LOS_ANGELES = "America/New_York", "America/Los_Angeles"
# With six hours of grace February closes in New York at 11:00 UTC, in Los Angeles at
# 14:00, elsewhere earlier.
NEW_YORK_IS_DUE = dt.datetime(2027, 3, 1, 11, 0, tzinfo=dt.UTC)
ZONES = (
    "UTC",
    "Asia/Tokyo",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    NEW_YORK,
)
SETTLED = (
    (Plan.ENTERPRISE_SEAT, Settlement.POSTPAID),
    (Plan.ENTERPRISE_USAGE, Settlement.POSTPAID),
    (Plan.TEAM, Settlement.PREPAID),
    (Plan.ENTERPRISE_SEAT, Settlement.PREPAID),
)
MODELS = (
    "claude-sonnet-5",
    "claude-opus-4-5",
    "claude-haiku-4-5",
    "a-model-nobody-knows",
)
PAIRS = [(surface, model) for model in MODELS for surface in ("claude_code", "claude")]


@dataclass(frozen=True, slots=True)
class Cast:
    """One organization as the test knows it: its people by membership id, the months it
    must close, who gets its mails.
    """

    organization: Organization
    members: tuple[tuple[int, str], ...]
    months: tuple[dt.date, ...]
    recipients: frozenset[str]

    @property
    def pk(self) -> int:
        """Its id."""
        return self.organization.pk


def request(
    event_id: str, member: str, *, number: int, at: dt.datetime
) -> ReportedEvent:
    """An event whose cost is no whole cent; `number` varies surface, model and size."""
    surface, model = PAIRS[number % len(PAIRS)]
    usage = Usage(
        input_tokens=1_003 * (number % 17) + 7, output_tokens=311 * (number % 23) + 13
    )
    return ReportedEvent(event_id, member, surface, model, at, usage)


def make_cast() -> list[Cast]:
    """All of them, with their usage of the months that are over, recorded while those ran."""
    SeatAllowance.objects.all().delete()  # all usage is extra
    count = DUE + NOT_DUE
    users = User.objects.bulk_create(
        [
            User(email=f"{place}@org{n:03d}.example", name=f"Person {place} of {n}")
            for n in range(count)
            for place in range(MEMBERS)
        ]
    )
    people = [users[MEMBERS * n : MEMBERS * (n + 1)] for n in range(count)]
    organizations = Organization.objects.bulk_create(
        _organization(n, people[n][0]) for n in range(count)
    )
    memberships = Membership.objects.bulk_create(
        Membership(
            organization=one,
            user=user,
            seat_tier="standard",
            joined_at=one.created_at,
            base_role=Role.OWNER
            if place == 0 or (place == 1 and n % 5 == 0)
            else Role.MEMBER,
        )
        for n, one in enumerate(organizations)
        for place, user in enumerate(people[n])
    )
    BillingAccount.objects.bulk_create(
        BillingAccount(organization=one, extra_usage_enabled=True)
        for one in organizations
    )
    found = []
    for n, one in enumerate(organizations):
        cast = _cast(n, one, memberships[MEMBERS * n : MEMBERS * (n + 1)])
        _live(n, cast)
        found.append(cast)
    return found


def _organization(n: int, owner: User) -> Organization:
    plan, settlement = SETTLED[n % len(SETTLED)]
    zone = ZONES[n // len(SETTLED) % len(ZONES)] if n < DUE else LOS_ANGELES
    # One in five missed January's close, half of them after that of December, half as
    # their first.
    created = {
        2: dt.datetime(2026, 12, 20, tzinfo=dt.UTC),
        7: dt.datetime(2027, 1, 3, tzinfo=dt.UTC),
    }
    billing = f"billing@org{n:03d}.example" if n % 4 == 3 else owner.email
    return Organization(
        name=f"Organization {n}",
        slug=f"org{n:03d}",
        plan=plan,
        settlement=settlement,
        timezone=zone,
        billing_email=billing,
        primary_owner=owner,
        created_at=created.get(n % 10, dt.datetime(2027, 2, 3, tzinfo=dt.UTC)),
    )


def _cast(n: int, one: Organization, memberships: list[Membership]) -> Cast:
    months = (FEBRUARY,) if one.created_at.month == 2 else (JANUARY, FEBRUARY)
    owners = {
        member.user.email for member in memberships if member.base_role == Role.OWNER
    }
    members = tuple((member.pk, member.user.email) for member in memberships)
    return Cast(
        one,
        members,
        months if n < DUE else months[:-1],
        frozenset(owners | {one.billing_email}),
    )


def _live(n: int, cast: Cast) -> None:
    """A balance where it is prepaid, and each month's usage; one in twenty uses nothing."""
    months = (
        [FEBRUARY] if cast.organization.created_at.month == 2 else [JANUARY, FEBRUARY]
    )
    if cast.organization.created_at.month == 12:
        assert [
            one.month.month_on for one in close_due(cast.pk, now=END_OF_DECEMBER)
        ] == [DECEMBER]
    if cast.organization.settlement == Settlement.PREPAID:
        with transaction.atomic():
            post_entry(
                lock_organization(cast.pk),
                kind=EntryKind.CREDIT,
                amount_nanos=usd(10_000),
                now=dt.datetime.combine(months[0].replace(day=5), dt.time(), dt.UTC),
                reason="Opening balance",
            )
    for month_on in months if n % 20 != 7 else ():
        at = dt.datetime.combine(month_on.replace(day=14), dt.time(15), dt.UTC)
        sent = [
            request(
                f"{month_on:%m}-{number}",
                email,
                number=n + 5 * number,
                at=at - dt.timedelta(hours=number),
            )
            for number, (_pk, email) in enumerate(cast.members * 3)
        ]
        record_usage(sent, organization_id=cast.pk, now=at)
