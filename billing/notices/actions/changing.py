"""Changing one of several things that were chosen about notices; the others stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from accounts.actions.audit import Actor
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.models import SoftLimit
from billing.notices.actions.settings import set_percents
from billing.notices.actions.soft_limits import add_soft_limit, remove_soft_limit
from billing.notices.queries.choices import percents_of, settings_of
from config.kit.errors import BusinessError


@transaction.atomic
def change_percents(
    organization: Organization,
    *,
    of: str,
    percents: Sequence[int],
    actor: Actor,
    now: dt.datetime,
) -> None:
    """The percentages `of` the organization, member or included usage, in the lock, so
    that two owners who change different ones both keep theirs. Raises BusinessError as
    `set_percents` does.
    """
    locked = lock_organization(organization.pk)
    kept = percents_of(settings_of(locked.pk))
    chosen = {
        "organization": kept.organization,
        "member": kept.member,
        "included": kept.included,
    } | {of: tuple(percents)}
    try:
        set_percents(
            locked,
            organization_percents=chosen["organization"],
            member_percents=chosen["member"],
            included_percents=chosen["included"],
            actor=actor,
            now=now,
        )
    except BusinessError as refused:
        refused.field = None  # the form has a field for each number
        raise


@transaction.atomic
def change_soft_limit(
    limit: SoftLimit, *, amount_nanos: int, actor: Actor, now: dt.datetime
) -> None:
    """Another amount: the old one is no longer told, the new one from now on. Raises
    BusinessError as `add_soft_limit` does.
    """
    if amount_nanos == limit.amount_nanos:
        return
    remove_soft_limit(limit.organization, limit_id=limit.pk, actor=actor, now=now)
    add_soft_limit(
        limit.organization,
        level=limit.level,
        seat_tier=limit.seat_tier,
        membership=limit.membership,
        amount_nanos=amount_nanos,
        actor=actor,
        now=now,
    )
