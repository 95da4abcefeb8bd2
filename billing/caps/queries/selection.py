"""Whom an owner can select for extra usage, searched and paged; who is selected
already. Read-only.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from accounts.models import Membership, Organization
from accounts.models.people import MembershipQuerySet
from billing.models import SelectedMember


def candidates(
    organization: Organization,
    *,
    words: Collection[str] = (),
    only: Collection[int] | None = None,
) -> MembershipQuerySet:
    """Active members by name whose name or address has every word; with `only`, those
    of the ids alone.
    """
    members = (
        Membership.objects.active()
        .filter(organization=organization)
        .select_related("user")
    )
    for word in words:
        members = members.filter(
            Q(user__name__icontains=word) | Q(user__email__icontains=word)
        )
    if only is not None:
        members = members.filter(pk__in=only)
    return members.order_by("user__name", "pk")


def selected_ids(organization: Organization) -> set[int]:
    """The active members selected now."""
    rows = SelectedMember.objects.filter(
        membership__organization=organization,
        membership__status=Membership.Status.ACTIVE,
    )
    return set(rows.values_list("membership_id", flat=True))
