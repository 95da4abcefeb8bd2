"""What each person chose about notices, an organization at a time. Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Membership, Plan, Role, Settlement
from billing.models import (
    NoticeChoice,
    NoticeKind,
    NoticeRecipient,
)
from billing.notices.rules.channels import default_told_by


@dataclass(frozen=True, slots=True)
class KindChoice:
    """One kind of notice somebody may get; `chosen` is empty while its default holds,
    and `default` where that is another for each window.
    """

    kind: NoticeKind
    chosen: str
    default: str


def memberships_of(user_id: int) -> list[Membership]:
    """A person's organizations, by name."""
    return list(
        Membership.objects.active()
        .filter(user_id=user_id)
        .select_related("organization", "organization__primary_owner", "user")
        .order_by("organization__name", "pk")
    )


def own_choices(memberships: Sequence[Membership]) -> dict[int, list[KindChoice]]:
    """By membership id what each of them may get and chose, in two queries."""
    chosen = {
        (membership_id, kind): told_by
        for membership_id, kind, told_by in NoticeChoice.objects.filter(
            membership__in=memberships
        ).values_list("membership_id", "kind", "told_by")
    }
    named = set(
        NoticeRecipient.objects.filter(membership__in=memberships).values_list(
            "membership_id", flat=True
        )
    )
    return {
        one.pk: [
            KindChoice(kind, chosen.get((one.pk, kind), ""), _default(kind))
            for kind in _kinds(one, is_named=one.pk in named)
        ]
        for one in memberships
    }


def _default(kind: NoticeKind) -> str:
    """Empty where it depends on the window."""
    return "" if kind == NoticeKind.INCLUDED_USAGE else default_told_by(kind)


def _kinds(membership: Membership, *, is_named: bool) -> list[NoticeKind]:
    """What somebody may get: of themselves, and of the organization for its owners and
    whom they named.
    """
    kinds = [NoticeKind.MEMBER_CAP]
    if membership.organization.plan == Plan.ENTERPRISE_SEAT:
        kinds.append(NoticeKind.SEAT_TIER_CAP)
    if membership.organization.has_seats:
        kinds += [NoticeKind.INCLUDED_USAGE, NoticeKind.CHANGEOVER]
    if is_named or membership.is_at_least(Role.OWNER):
        kinds += [NoticeKind.ORGANIZATION_CAP, NoticeKind.SOFT_LIMIT]
        if membership.organization.settlement == Settlement.PREPAID:
            kinds += [
                NoticeKind.BALANCE_LOW,
                NoticeKind.BALANCE_EXHAUSTED,
                NoticeKind.BALANCE_SHORT,
            ]
        kinds.append(NoticeKind.CHANNEL_PAUSED)
    return kinds
