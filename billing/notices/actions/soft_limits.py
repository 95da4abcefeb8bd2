"""Soft limits: amounts a month that tell somebody and stop nothing (N1). Owners' acts; each
is kept in the audit (C8).

What is spent already when one is set counts as reached without a notice: whoever sets it
sees that on the page. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization, Tier
from billing.models import Notice, NoticeKind, SoftLimit, SoftLimitLevel
from billing.models.notices import NoticeQuerySet
from billing.notices.actions.settings import check_amount, write_edges
from billing.notices.rules.facts import OF_ORGANIZATION, of_member
from config.kit.errors import BusinessError

# Of one organization, tier or person; more would be noise.
MOST_SOFT_LIMITS = 10


@transaction.atomic
def add_soft_limit(
    organization: Organization,
    *,
    level: str,
    amount_nanos: int,
    seat_tier: str | None = None,
    membership: Membership | None = None,
    actor: Actor,
    now: dt.datetime,
) -> SoftLimit:
    """Name an amount a month that tells somebody and stops nothing: of the organization,
    of each person on a seat tier, or of one person. The same again is the one there is.

    What is spent already counts as reached without a notice. Raises BusinessError
    `amount`, `too_many`, `unknown_seat_tier`, `member_unknown`.
    """
    check_amount(amount_nanos, field="amount")
    _check_whose(organization, level, seat_tier, membership)
    locked = lock_organization(organization.pk)
    whose = {
        "organization": locked,
        "level": level,
        "seat_tier": seat_tier,
        "membership": membership,
    }
    present = SoftLimit.objects.filter(**whose)
    before = present.filter(amount_nanos=amount_nanos).first()
    if before is not None:
        return before
    if present.count() >= MOST_SOFT_LIMITS:
        raise BusinessError(
            _("There are %(most)d soft limits already. Remove one first.")
            % {"most": MOST_SOFT_LIMITS},
            code="too_many",
        )
    limit = SoftLimit.objects.create(**whose, amount_nanos=amount_nanos, created_at=now)
    write_edges(locked)
    _audit(locked, limit, actor=actor, now=now, is_added=True)
    return limit


@transaction.atomic
def remove_soft_limit(
    organization: Organization, *, limit_id: int, actor: Actor, now: dt.datetime
) -> None:
    """Take a soft limit away; what was reached of it is no longer told. One that is gone
    already is fine.
    """
    locked = lock_organization(organization.pk)
    limit = SoftLimit.objects.filter(pk=limit_id, organization=locked).first()
    if limit is None:
        return
    _audit(locked, limit, actor=actor, now=now, is_added=False)
    _live_notices(limit).update(overtaken_at=now)
    limit.delete()
    write_edges(locked)


def _live_notices(limit: SoftLimit) -> NoticeQuerySet:
    """The notices of a soft limit; the same amount of another level has its own."""
    live = Notice.objects.live().filter(
        organization_id=limit.organization_id,
        kind=NoticeKind.SOFT_LIMIT,
        edge=limit.amount_nanos,
        facts__level=limit.level,
    )
    if limit.level == SoftLimitLevel.ORGANIZATION:
        return live.filter(subject=OF_ORGANIZATION)
    if limit.membership_id is not None:
        return live.filter(subject=of_member(limit.membership_id))
    return live.filter(membership__seat_tier=limit.seat_tier)


def _check_whose(
    organization: Organization,
    level: str,
    seat_tier: str | None,
    membership: Membership | None,
) -> None:
    if level == SoftLimitLevel.SEAT_TIER and seat_tier not in Tier.values:
        raise BusinessError(
            _("“%(tier)s” is not a seat tier.") % {"tier": seat_tier},
            code="unknown_seat_tier",
            status=422,
            field="seat_tier",
        )
    if level == SoftLimitLevel.MEMBER and (
        membership is None
        or membership.organization_id != organization.pk
        or not membership.is_active
    ):
        raise BusinessError(
            _("Choose a member of %(organization)s.")
            % {"organization": organization.name},
            code="member_unknown",
            status=422,
            field="member",
        )


def _audit(
    locked: Organization,
    limit: SoftLimit,
    *,
    actor: Actor,
    now: dt.datetime,
    is_added: bool,
) -> None:
    value = {"level": limit.level, "amount_nanos": limit.amount_nanos}
    if limit.seat_tier:
        value["seat_tier"] = limit.seat_tier
    subject = str(limit.membership.user) if limit.membership else locked.name
    record_change(
        locked,
        actor=actor,
        action="notices.soft_limit" if is_added else "notices.soft_limit_removed",
        subject=subject,
        now=now,
        membership=limit.membership,
        from_value=None if is_added else value,
        to_value=value if is_added else None,
    )
