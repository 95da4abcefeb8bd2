"""Factories of organizations and people."""

from __future__ import annotations

import datetime as dt

import factory

from accounts.actions.organizations import create_organization
from accounts.models import (
    ApiKey,
    ExternalId,
    Membership,
    Organization,
    Plan,
    Role,
    Tier,
    User,
)

PASSWORD = "a-good-password"


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@acme.example")
    name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.django.Password(PASSWORD)


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    seat_tier = Tier.STANDARD
    joined_at = dt.datetime(2026, 1, 5, 9, 0, tzinfo=dt.UTC)


def make_user(email: str, name: str, **extra: object) -> User:
    """A person who can sign in with PASSWORD."""
    return UserFactory(email=email, name=name, **extra)


def make_organization(
    slug: str,
    *,
    owner: User,
    now: dt.datetime,
    plan: str = Plan.ENTERPRISE_SEAT,
    **extra: object,
) -> Organization:
    """An organization with `owner` as primary owner on a premium seat and plenty of seats."""
    return create_organization(
        slug.title(),
        **{
            "slug": slug,
            "plan": plan,
            "primary_owner": owner,
            "billing_email": f"billing@{slug}.example",
            "now": now,
            "seats": {Tier.STANDARD: 50, Tier.PREMIUM: 10},
            "owner_seat": Tier.PREMIUM,
            **extra,
        },
    )


def make_cast(*, now: dt.datetime) -> Organization:
    """Acme with Alice (primary owner), Ada (admin), Bob (member); Umbrella with Charlie."""
    alice = make_user("alice@acme.example", "Alice Nakamura")
    acme = make_organization("acme", owner=alice, now=now, timezone="America/New_York")
    ada = make_user("ada@acme.example", "Ada Okafor")
    MembershipFactory(organization=acme, user=ada, base_role=Role.ADMIN)
    MembershipFactory(organization=acme, user=make_user("bob@acme.example", "Bob Feld"))
    charlie = make_user("charlie@umbrella.example", "Charlie Stranger")
    make_organization("umbrella", owner=charlie, now=now)
    return acme


def make_api_key(
    organization: Organization, *, scopes: str = "meter read manage", now: dt.datetime
) -> str:
    """The secret of a new key with `scopes`."""
    secret = f"xu_test_{organization.slug}_{scopes.replace(' ', '_')}"
    ApiKey.objects.create(
        organization=organization,
        name="test",
        prefix=secret[:12],
        digest=ApiKey.digest_of(secret),
        scopes=scopes,
        created_at=now,
    )
    return secret


def make_token(
    member: Membership, *, now: dt.datetime, days: int = 90, name: str = "laptop"
) -> str:
    """The secret of a new personal token of a member (X3)."""
    secret = f"xu_test_token_{member.pk}_{name}"
    ApiKey.objects.create(
        organization=member.organization,
        membership=member,
        name=name,
        prefix=secret[:12],
        digest=ApiKey.digest_of(secret),
        scopes="self",
        created_by=member.user,
        created_at=now,
        expires_at=now + dt.timedelta(days=days),
    )
    return secret


def make_external_id(member: Membership, issuer: str, subject: str) -> ExternalId:
    """Another system's name for a member (X2)."""
    return ExternalId.objects.create(
        organization=member.organization,
        membership=member,
        issuer=issuer,
        subject=subject,
        name=f"{issuer}:{subject}",
    )
