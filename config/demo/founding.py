"""The demo's organizations and people, before anything happens to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts.actions.organizations import create_organization
from accounts.models import Membership, Organization, Plan, Role, SeatTier, Tier, User
from config.demo.people import Person
from config.demo.public import PASSWORD
from config.kit.months import previous_month

OPERATOR = "operator@example.com"
SEATS: dict[str, dict[str, int]] = {
    "acme": {Tier.STANDARD: 34, Tier.PREMIUM: 9},
    "bolt": {Tier.STANDARD: 10, Tier.PREMIUM: 3},
    "cirrus": {Tier.STANDARD: 10},
}


def months_before(now: dt.datetime, count: int) -> dt.date:
    """The first day of the month `count` months before that of `now`."""
    first_on = now.date().replace(day=1)
    for _month in range(count):
        first_on = previous_month(first_on)
    return first_on


def make_organization(
    name: str,
    slug: str,
    *,
    plan: Plan,
    timezone: str,
    owner: str,
    admin: str | None,
    member: str,
    others: list[Person],
    premium: int,
    now: dt.datetime,
) -> tuple[Organization, list[Membership]]:
    """The organization and its memberships, in a fixed order: owner, admin if any,
    member, then the others.
    """
    joined = dt.datetime.combine(months_before(now, 5), dt.time(9), dt.UTC)
    language = "ja" if timezone == "Asia/Tokyo" else "en"
    organization = create_organization(
        name,
        slug=slug,
        plan=plan,
        timezone=timezone,
        billing_email=f"billing@{slug}.example",
        now=joined,
        primary_owner=find_or_make_user(
            f"owner@{slug}.example", owner, language=language
        ),
        seats=SEATS[slug],
        owner_seat=Tier.PREMIUM if premium else Tier.STANDARD,
    )
    joining = _joining(slug, admin=admin, member=member, others=others, premium=premium)
    for email, person, role, tier in joining:
        Membership.objects.create(
            organization=organization,
            user=find_or_make_user(email, person, language=language),
            base_role=role,
            seat_tier=tier,
            joined_at=joined,
        )
    assert all(
        organization.memberships.on_seat(row.tier).count() <= row.bought
        for row in SeatTier.objects.filter(organization=organization)
    )
    return organization, list(
        organization.memberships.select_related("user", "organization").order_by("pk")
    )


def _joining(
    slug: str, *, admin: str | None, member: str, others: list[Person], premium: int
) -> Iterator[tuple[str, str, Role, Tier]]:
    """Address, name, role and seat of everybody but the owner, who has one of the premium
    seats. The next ones go to the first of the others: whoever the demo names signs in on
    a standard one.
    """
    if admin:
        yield f"admin@{slug}.example", admin, Role.ADMIN, Tier.STANDARD
    yield f"member@{slug}.example", member, Role.MEMBER, Tier.STANDARD
    for index, other in enumerate(others):
        tier = Tier.PREMIUM if index < premium - 1 else Tier.STANDARD
        yield f"{other.local_part}@{slug}.example", other.name, Role.MEMBER, tier


@lru_cache(maxsize=1)
def _password_hash() -> str:
    """One slow hash for everybody, since everybody has the same password."""
    return make_password(PASSWORD)


def find_or_make_user(email: str, name: str, **extra: object) -> User:
    """The person with this address, made with the demo's password when there is none."""
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create(
            email=email, name=name, password=_password_hash(), **extra
        )
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
