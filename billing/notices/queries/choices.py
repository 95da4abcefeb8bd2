"""What an organization chose about notices: at how many per cent, its soft limits with
how far they are reached, and who else is told. Read-only; amounts are nano-USD.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from accounts.models import Membership, Organization
from billing.funding.rules.standing import OrganizationStanding
from billing.models import (
    MemberMonth,
    NoticeRecipient,
    NoticeSettings,
    SoftLimit,
    SoftLimitLevel,
)


@dataclass(frozen=True, slots=True)
class Percents:
    """At how many per cent people are told: of the organization's cap, of their own, and
    of included usage.
    """

    organization: tuple[int, ...]
    member: tuple[int, ...]
    included: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SoftLimitRow:
    """A soft limit and what is spent of it: of a seat tier, how many of its people
    reached it.
    """

    limit: SoftLimit
    spent_nanos: int = 0
    reached: int = 0
    people: int = 0

    @property
    def is_reached(self) -> bool:
        """Whether one subject's spend reached it."""
        return self.spent_nanos >= self.limit.amount_nanos


def settings_of(organization_id: int) -> NoticeSettings:
    """What was chosen; the defaults, unsaved, where nothing was."""
    kept = NoticeSettings.objects.filter(organization_id=organization_id).first()
    return kept or NoticeSettings(organization_id=organization_id)


def percents_of(settings: NoticeSettings) -> Percents:
    """As numbers, rising."""
    return Percents(
        numbers(settings.organization_percents),
        numbers(settings.member_percents),
        numbers(settings.included_percents),
    )


def numbers(written: str) -> tuple[int, ...]:
    """`75,90,100` as numbers."""
    return tuple(sorted(int(one) for one in written.split(",") if one))


def soft_limit_rows(standing: OrganizationStanding) -> list[SoftLimitRow]:
    """All soft limits: the organization's, of seat tiers, of people; each with what was
    spent in the month, in three queries at most.
    """
    limits = list(
        SoftLimit.objects.filter(organization_id=standing.id).select_related(
            "membership__user"
        )
    )
    order = SoftLimitLevel.values
    limits.sort(key=lambda one: (order.index(one.level), one.amount_nanos))
    spent = _spent_by_member(limits, standing)
    return [_row(limit, standing, spent) for limit in limits]


def _spent_by_member(
    limits: list[SoftLimit], standing: OrganizationStanding
) -> dict[int, int]:
    people = [one.membership_id for one in limits if one.membership_id]
    if not people:
        return {}
    return dict(
        MemberMonth.objects.filter(
            membership_id__in=people, month_on=standing.month.first_on
        ).values_list("membership_id", "extra_nanos")
    )


def _row(
    limit: SoftLimit, standing: OrganizationStanding, spent: dict[int, int]
) -> SoftLimitRow:
    if limit.level == SoftLimitLevel.ORGANIZATION:
        return SoftLimitRow(limit, standing.spent_nanos)
    if limit.level == SoftLimitLevel.MEMBER:
        return SoftLimitRow(limit, spent.get(limit.membership_id or 0, 0))
    found = (
        Membership.objects.active()
        .filter(organization_id=standing.id, seat_tier=limit.seat_tier)
        .aggregate(
            people=Count("pk", distinct=True),
            reached=Count(
                "pk",
                distinct=True,
                filter=Q(
                    months__month_on=standing.month.first_on,
                    months__extra_nanos__gte=limit.amount_nanos,
                ),
            ),
        )
    )
    return SoftLimitRow(limit, reached=found["reached"], people=found["people"])


def recipients_of(organization: Organization) -> list[NoticeRecipient]:
    """Who gets the organization's notices beside its owners."""
    return list(
        NoticeRecipient.objects.filter(organization=organization)
        .select_related("membership__user")
        .order_by("pk")
    )


def owners_of(organization: Organization) -> list[Membership]:
    """Its owners, who always get them."""
    return list(
        Membership.objects.owners_to_mail()
        .filter(organization=organization)
        .order_by("pk")
    )
