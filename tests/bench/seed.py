"""Fills the bench's database: 100 organizations of 10 members that meter, and two with
100 and 10,000 members to look at.

Prints as JSON what the load generator needs. Run as `python -m tests.bench.seed` with
the bench's settings.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import sys
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.actions.organizations import create_organization  # noqa: E402
from accounts.models import ApiKey, Membership, Organization, Plan, Tier, User  # noqa: E402
from billing.funding.promises import SALT  # noqa: E402
from billing.models import (  # noqa: E402
    BillingAccount,
    IncludedWindow,
    MemberMonth,
    OrganizationMonth,
    SpendCap,
    UsageDay,
)
from config.kit.keys import PREFIX  # noqa: E402

USD = 1_000_000_000
# What a check signs with (`django.utils.crypto.salted_hmac`).
SIGNING_KEY = hashlib.sha256(f"{SALT}signer{settings.SECRET_KEY}".encode()).digest()
ORGANIZATIONS, MEMBERS = 100, 10
PAGES = {"page100": 100, "page10000": 10_000}


def make_organization(slug: str, *, members: int, now: dt.datetime) -> Organization:
    """An organization with extra usage on for everyone, all caps, and `members` people
    on seats.
    """
    owner = User.objects.create(email=f"owner@{slug}.example", name=f"Owner of {slug}")
    organization = create_organization(
        slug,
        slug=slug,
        plan=Plan.ENTERPRISE_SEAT,
        primary_owner=owner,
        billing_email=owner.email,
        now=now,
        seats={Tier.STANDARD: members, Tier.PREMIUM: 1},
        owner_seat=Tier.STANDARD,
    )
    users = [
        User(email=f"m{n}@{slug}.example", name=f"Member {n}")
        for n in range(members - 1)
    ]
    users = User.objects.bulk_create(users, batch_size=2_000)
    Membership.objects.bulk_create(
        [
            Membership(
                organization=organization,
                user=user,
                seat_tier=Tier.STANDARD,
                joined_at=now,
            )
            for user in users
        ],
        batch_size=2_000,
    )
    BillingAccount.objects.update_or_create(
        organization=organization, defaults={"extra_usage_enabled": True}
    )
    big = 1_000_000 * USD
    SpendCap.objects.create(
        organization=organization, level="organization", amount_nanos=big
    )
    SpendCap.objects.create(
        organization=organization,
        level="seat_tier",
        seat_tier="standard",
        amount_nanos=big,
    )
    return organization


def spend(organization: Organization, *, now: dt.datetime) -> None:
    """A month under way for everybody: counters, three days of usage and a week window
    each, caps for one in ten.
    """
    dice, month_on = random.Random(7), now.date().replace(day=1)
    members = list(organization.memberships.order_by("pk").values_list("pk", flat=True))
    amounts = {pk: dice.randrange(0, 200 * USD) for pk in members}
    MemberMonth.objects.bulk_create(
        [
            MemberMonth(membership_id=pk, month_on=month_on, extra_nanos=n, events=9)
            for pk, n in amounts.items()
        ],
        batch_size=2_000,
    )
    OrganizationMonth.objects.create(
        organization=organization, month_on=month_on, extra_nanos=sum(amounts.values())
    )
    UsageDay.objects.bulk_create(
        [
            UsageDay(
                membership_id=pk,
                day_on=now.date() - dt.timedelta(days=back),
                surface="claude",
                model="claude-sonnet-5",
                seat_tier="standard",
                events=3,
                extra_nanos=n // 3,
            )
            for pk, n in amounts.items()
            for back in range(3)
        ],
        batch_size=2_000,
    )
    week = dt.timedelta(days=7)
    IncludedWindow.objects.bulk_create(
        [
            IncludedWindow(
                membership_id=pk,
                name="week",
                opened_at=now,
                resets_at=now + week,
                used_nanos=n,
                is_latest=True,
            )
            for pk, n in amounts.items()
        ],
        batch_size=2_000,
    )
    SpendCap.objects.bulk_create(
        [
            SpendCap(
                organization=organization,
                level="member",
                membership_id=pk,
                amount_nanos=100 * USD,
            )
            for pk in members[::10]
        ],
        batch_size=2_000,
    )


def gateway(organization: Organization, *, now: dt.datetime) -> dict[str, Any]:
    """What a gateway of this organization sends: its key, its members and a promise for
    each.
    """
    secret = f"{PREFIX}bench-{organization.slug}"
    digest = ApiKey.digest_of(secret)
    ApiKey.objects.create(
        organization=organization,
        name="bench",
        prefix=secret[:12],
        digest=digest,
        scopes="meter read manage",
        created_at=now,
    )
    members = list(
        organization.memberships.order_by("pk").values_list("pk", flat=True)[:MEMBERS]
    )
    month_on = now.date().replace(day=1)
    MemberMonth.objects.bulk_create(
        [MemberMonth(membership_id=pk, month_on=month_on) for pk in members]
    )
    OrganizationMonth.objects.create(organization=organization, month_on=month_on)
    return {
        "id": organization.pk,
        "key": secret,
        "digest": digest,
        "members": members,
        "signing_key": SIGNING_KEY.hex(),
    }


def session_of(organization: Organization) -> str:
    """The session cookie of the organization's owner."""
    owner, store = organization.primary_owner, SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = (
        str(owner.pk),
        settings.AUTHENTICATION_BACKENDS[-1],
    )
    store[HASH_SESSION_KEY] = owner.get_session_auth_hash()
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def main() -> None:
    """Seed and print."""
    now = timezone.now()
    gateways = [
        gateway(make_organization(f"org{n:03d}", members=MEMBERS, now=now), now=now)
        for n in range(ORGANIZATIONS)
    ]
    pages = {}
    for slug, members in PAGES.items():
        organization = make_organization(slug, members=members, now=now)
        spend(organization, now=now)
        pages[slug] = {"members": members, "cookie": session_of(organization)}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    json.dump({"gateways": gateways, "pages": pages}, sys.stdout)


if __name__ == "__main__":
    main()
