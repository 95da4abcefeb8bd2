"""The caps extra usage starts with, all of them or none: the organization's, the seat
tiers', and those of single members. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor
from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from config.kit.errors import BusinessError


@dataclass(frozen=True, slots=True)
class FirstCaps:
    """What is set: None is unlimited; members by the id of their membership."""

    organization_nanos: int | None
    seats: Mapping[str, int | None] = field(default_factory=dict)
    members: Mapping[int, int] = field(default_factory=dict)


@transaction.atomic
def set_first_caps(
    organization: Organization, caps: FirstCaps, *, actor: Actor, now: dt.datetime
) -> None:
    """Set them, each with its own audit entry.

    Raises BusinessError `member_inactive` where somebody was removed meanwhile, and what
    the single acts raise.
    """
    locked = lock_organization(organization.pk)
    set_organization_cap(
        locked, amount_nanos=caps.organization_nanos, actor=actor, now=now
    )
    for tier, amount in caps.seats.items():
        set_seat_tier_cap(locked, tier=tier, amount_nanos=amount, actor=actor, now=now)
    for member in _present(locked, caps.members):
        amount = caps.members[member.pk]
        set_member_cap(
            locked, membership=member, amount_nanos=amount, actor=actor, now=now
        )


def _present(
    organization: Organization, members: Mapping[int, int]
) -> list[Membership]:
    found = Membership.objects.active().select_related("user", "organization")
    people = list(
        found.filter(organization=organization, pk__in=members).order_by("pk")
    )
    if len(people) < len(members):
        raise BusinessError(
            _("Somebody was removed meanwhile; nothing was saved. Look at the list."),
            code="member_inactive",
        )
    return people
