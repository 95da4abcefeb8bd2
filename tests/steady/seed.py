"""Fills the stage: six organizations in six time zones, two of them prepaid with
auto-reload, one of these with a card whose gateway falls silent after it paid.

Prints as JSON what the load generator needs. Run as `python -m tests.steady.seed` with
the stage's settings.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django

django.setup()

from django.utils import timezone  # noqa: E402

from accounts.models import Membership, Organization, Plan, Tier, User  # noqa: E402
from tests.factories.balances import give_card, turn_on, use_up_included  # noqa: E402
from tests.factories.people import make_api_key, make_organization  # noqa: E402
from tests.factories.seeds import seed  # noqa: E402
from tests.factories.usage import enable_extra_usage  # noqa: E402

MEMBERS = 8
INVOICED = {
    "tokyo": "Asia/Tokyo",
    "paris": "Europe/Paris",
    "new-york": "America/New_York",
    "kolkata": "Asia/Kolkata",
}
PREPAID = {
    "los-angeles": ("America/Los_Angeles", "works"),
    "auckland": ("Pacific/Auckland", "timeout_paid"),
}


def found(slug: str, zone: str, plan: Plan) -> Organization:
    """An organization with an owner and members on standard seats."""
    now = timezone.now()
    owner = User.objects.create(email=f"owner@{slug}.example", name=f"Owner of {slug}")
    made = make_organization(slug, owner=owner, now=now, plan=plan, timezone=zone)
    users = User.objects.bulk_create(
        User(email=f"m{number}@{slug}.example", name=f"Member {number}")
        for number in range(1, MEMBERS)
    )
    Membership.objects.bulk_create(
        Membership(organization=made, user=user, seat_tier=Tier.STANDARD, joined_at=now)
        for user in users
    )
    return made


def facts(organization: Organization) -> dict[str, Any]:
    """What a gateway of this organization knows."""
    members = organization.memberships.order_by("pk").values_list("pk", flat=True)
    key = make_api_key(organization, now=timezone.now())
    return {"id": organization.pk, "slug": organization.slug, "key": key} | {
        "members": list(members)
    }


def main() -> None:
    """Seed and print."""
    seed()  # unless migrations have just written these rows
    made = []
    for slug, zone in INVOICED.items():
        one = found(slug, zone, Plan.ENTERPRISE_SEAT)
        enable_extra_usage(one, cap="1000000")
        made.append(one)
    for slug, (zone, card) in PREPAID.items():
        now = timezone.now()
        one = found(slug, zone, Plan.TEAM)
        use_up_included(one)
        give_card(one, "works", now=now)
        turn_on(one, balance="100", cap="100000", reload=("60", "50"), now=now)
        give_card(one, card, now=now)
        made.append(one)
    json.dump([facts(one) for one in made], sys.stdout)


if __name__ == "__main__":
    main()
