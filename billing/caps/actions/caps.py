"""Setting spend caps at the three levels (C1-C4, C8): one lock, one row, one audit
entry. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import AuditEntry, Membership, Organization, Plan, Tier
from billing.caps.queries.caps import CapTarget, member_target, seat_tier_target
from billing.caps.queries.held import cap_as_audited
from billing.ledger.queries import open_month
from billing.models import CapLevel, EventType, SpendCap
from billing.notices.actions.limits import notice_cap
from billing.notices.actions.publishing import cap_usd, person, publish
from config.kit.errors import BusinessError
from config.kit.money import MAX_AMOUNT_NANOS, NANOS_PER_CENT, format_usd

AMOUNTS = ["amount_nanos", "month_on", "month_amount_nanos"]


@dataclass(frozen=True, slots=True)
class CapChange:
    """A cap as it was set: amounts of the current month before and after; None is
    unlimited. No `audit` where nothing changed.
    """

    cap: SpendCap
    from_nanos: int | None
    to_nanos: int | None
    this_month_only: bool
    audit: AuditEntry | None
    # What is spent already reached something of it that is to be told (N1).
    notices_written: bool = False


@transaction.atomic
def set_cap(
    target: CapTarget,
    *,
    amount_nanos: int | None,
    this_month_only: bool = False,
    later_nanos: int | EllipsisType | None = ...,
    actor: Actor,
    now: dt.datetime,
) -> CapChange:
    """Set a cap; None is unlimited. For this month only, what comes after stays as it is,
    or is `later_nanos` where that is said.

    Raises BusinessError for a bad amount, `no_seat_caps` and `unknown_seat_tier` for a
    seat tier that can have none, `member_inactive` for somebody who was removed.
    """
    _check_target(target)
    check_amount(amount_nanos)
    locked = lock_organization(target.organization.pk)
    month_on = open_month(locked, now=now).first_on
    cap = _cap_of(locked, target)
    before = cap_as_audited(cap, locked, month_on=month_on)
    from_nanos = cap.amount_in(month_on)
    if this_month_only:
        cap.month_on, cap.month_amount_nanos = month_on, amount_nanos
    else:
        cap.month_on, cap.month_amount_nanos = None, None
        later_nanos = amount_nanos
    if not isinstance(later_nanos, EllipsisType):
        cap.amount_nanos = later_nanos
    cap.save(update_fields=AMOUNTS if cap.pk else None)
    after = cap_as_audited(cap, locked, month_on=month_on)
    audit = _kept(locked, target, before, after, actor=actor, now=now)
    is_noticed = notice_cap(
        cap,
        locked,
        from_nanos=from_nanos,
        to_nanos=amount_nanos,
        month_on=month_on,
        now=now,
    )
    facts = (cap, from_nanos, amount_nanos, this_month_only, audit, is_noticed)
    change = CapChange(*facts)
    return _published(locked, target, change, now=now)


def _kept(
    locked: Organization,
    target: CapTarget,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    actor: Actor,
    now: dt.datetime,
) -> AuditEntry | None:
    """The change in the audit (C8); None where nothing changed."""
    return record_change(
        locked,
        actor=actor,
        action=f"cap.{target.level}",
        subject=target.seat_tier or target.name,
        now=now,
        membership=target.membership,
        from_value=before,
        to_value=after,
    )


def _published(
    locked: Organization,
    target: CapTarget,
    change: CapChange,
    *,
    now: dt.datetime,
) -> CapChange:
    """The change, told to channels (N3) where it is one."""
    if change.audit is None:
        return change
    publish(
        locked,
        EventType.CAP_CHANGED,
        key=f"cap:{change.audit.pk}",
        data={
            "level": target.level.value,
            "seat_tier": target.seat_tier,
            "member": person(target.membership),
            "from_amount_usd": cap_usd(change.from_nanos),
            "amount_usd": cap_usd(change.to_nanos),
            "this_month_only": change.this_month_only,
        },
        now=now,
    )
    return change


def set_organization_cap(
    organization: Organization,
    *,
    amount_nanos: int | None,
    this_month_only: bool = False,
    actor: Actor,
    now: dt.datetime,
) -> CapChange:
    """Cap what everybody together may spend in a month; None is unlimited.

    Raises BusinessError for a bad amount.
    """
    return set_cap(
        CapTarget(organization),
        amount_nanos=amount_nanos,
        this_month_only=this_month_only,
        actor=actor,
        now=now,
    )


def set_seat_tier_cap(
    organization: Organization,
    *,
    tier: str,
    amount_nanos: int | None,
    this_month_only: bool = False,
    actor: Actor,
    now: dt.datetime,
) -> CapChange:
    """Cap each member on a seat tier who has no cap of their own; seat-based Enterprise
    only (C1).

    Raises BusinessError `no_seat_caps` on other plans, `unknown_seat_tier`, or for a
    bad amount.
    """
    return set_cap(
        seat_tier_target(organization, tier),
        amount_nanos=amount_nanos,
        this_month_only=this_month_only,
        actor=actor,
        now=now,
    )


def set_member_cap(
    organization: Organization,
    *,
    membership: Membership,
    amount_nanos: int | None,
    this_month_only: bool = False,
    actor: Actor,
    now: dt.datetime,
) -> CapChange:
    """Cap one member; None removes the individual cap, so that the seat tier's applies
    again (C2).

    Raises BusinessError `member_inactive` for somebody who was removed, or for a bad
    amount.
    """
    return set_cap(
        member_target(organization, membership),
        amount_nanos=amount_nanos,
        this_month_only=this_month_only,
        actor=actor,
        now=now,
    )


def check_amount(amount_nanos: int | None) -> None:
    """Caps are whole cents from $0 to $1,000,000 (M1).

    Raises BusinessError with the sentence for the field.
    """
    if amount_nanos is None:
        return
    if amount_nanos < 0:
        raise BusinessError(
            _("A cap can't be below zero."),
            code="negative",
            status=422,
            field="amount_usd",
        )
    if amount_nanos > MAX_AMOUNT_NANOS:
        raise BusinessError(
            _("The largest cap is %(most)s.") % {"most": format_usd(MAX_AMOUNT_NANOS)},
            code="too_large",
            status=422,
            field="amount_usd",
        )
    if amount_nanos % NANOS_PER_CENT:
        sentence = _("Caps are in whole cents, such as 25.50.")
        raise BusinessError(sentence, code="decimals", status=422, field="amount_usd")


def _check_target(target: CapTarget) -> None:
    if target.level is CapLevel.SEAT_TIER:
        _check_seat_tier(target.organization, target.seat_tier)
    if target.membership is not None:
        _check_member(target.organization, target.membership)


def _check_seat_tier(organization: Organization, tier: str | None) -> None:
    if organization.plan != Plan.ENTERPRISE_SEAT:
        raise BusinessError(
            _(
                "Seat spend caps are available on seat-based Enterprise plans only. "
                "Set a cap for the organization or for a person instead."
            ),
            code="no_seat_caps",
        )
    if tier not in Tier.values:
        raise BusinessError(
            _("“%(tier)s” is not a seat tier; use standard or premium.")
            % {"tier": tier},
            code="unknown_seat_tier",
            status=404,
        )


def _check_member(organization: Organization, membership: Membership) -> None:
    if membership.organization_id != organization.pk:
        raise ValueError("The membership belongs to another organization.")
    if not membership.is_active:
        raise BusinessError(
            _("%(name)s was removed from %(organization)s. Bring them back first.")
            % {"name": membership.user, "organization": organization.name},
            code="member_inactive",
        )


def _cap_of(locked: Organization, target: CapTarget) -> SpendCap:
    """The row of the cap, or a new one; under the lock, so that two who set it at once
    do not both make one.
    """
    whose = {
        "organization": locked,
        "level": target.level,
        "seat_tier": target.seat_tier,
        "membership": target.membership,
    }
    return SpendCap.objects.filter(**whose).first() or SpendCap(**whose)
