"""Two hundred organizations whose months are due to close, and a few that may not yet.

All plans and settlements, several zones, some with a month that was missed, some
without any usage.
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

DUE = 200
NOT_DUE = 6
MEMBERS = 3
DECEMBER = dt.date(2026, 12, 1)
JANUARY = dt.date(2027, 1, 1)
FEBRUARY = dt.date(2027, 2, 1)
MARCH = dt.date(2027, 3, 1)
END_OF_DECEMBER = dt.datetime(2027, 1, 2, tzinfo=dt.UTC)
NEW_YORK = "America/New_York"
LOS_ANGELES = "America/Los_Angeles"
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
PLANS = (
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
    """One organization as the test knows it.

    Its people by membership id, the months it must close, and who gets its mails.
    """

    organization: Organization
    members: tuple[tuple[int, str], ...]
    months: tuple[dt.date, ...]
    recipients: frozenset[str]

    @property
    def pk(self) -> int:
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
            organization=organization,
            user=user,
            seat_tier="standard",
            joined_at=organization.created_at,
            base_role=_role(n, place),
        )
        for n, organization in enumerate(organizations)
        for place, user in enumerate(people[n])
    )
    BillingAccount.objects.bulk_create(
        BillingAccount(organization=organization, extra_usage_enabled=True)
        for organization in organizations
    )
    casts = []
    for n, organization in enumerate(organizations):
        cast = _cast(n, organization, memberships[MEMBERS * n : MEMBERS * (n + 1)])
        _use_each_month(n, cast)
        casts.append(cast)
    return casts


def _role(n: int, place: int) -> Role:
    """The first of each is an owner, in every fifth organization the second too."""
    if place == 0 or (place == 1 and n % 5 == 0):
        return Role.OWNER
    return Role.MEMBER


def _organization(n: int, owner: User) -> Organization:
    plan, settlement = PLANS[n % len(PLANS)]
    zone = ZONES[n // len(PLANS) % len(ZONES)] if n < DUE else LOS_ANGELES
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


def _cast(n: int, organization: Organization, memberships: list[Membership]) -> Cast:
    months = _months_used(organization)
    owners = {
        member.user.email for member in memberships if member.base_role == Role.OWNER
    }
    members = tuple((member.pk, member.user.email) for member in memberships)
    return Cast(
        organization,
        members,
        months if n < DUE else months[:-1],
        frozenset(owners | {organization.billing_email}),
    )


def _months_used(organization: Organization) -> tuple[dt.date, ...]:
    if organization.created_at.month == 2:
        return (FEBRUARY,)
    return (JANUARY, FEBRUARY)


def _use_each_month(n: int, cast: Cast) -> None:
    """A balance where it is prepaid, and each month's usage; one in twenty uses nothing."""
    months = _months_used(cast.organization)
    if cast.organization.created_at.month == 12:
        closed = close_due(cast.pk, now=END_OF_DECEMBER)
        assert [row.month.month_on for row in closed] == [DECEMBER]
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
        events = [
            request(
                f"{month_on:%m}-{number}",
                email,
                number=n + 5 * number,
                at=at - dt.timedelta(hours=number),
            )
            for number, (_pk, email) in enumerate(cast.members * 3)
        ]
        record_usage(events, organization_id=cast.pk, now=at)
