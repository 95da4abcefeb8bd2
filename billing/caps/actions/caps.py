"""Setting spend caps at the three levels (C1-C4, C8): one lock, one row, one audit
entry. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import AuditEntry, Membership, Organization, Plan, Tier
from billing.models import CapLevel, SpendCap
from config.kit.errors import BusinessError
from config.kit.money import MAX_AMOUNT_NANOS, NANOS_PER_CENT, format_usd


@dataclass(frozen=True, slots=True)
class CapChange:
    """A cap as it was set: amounts of the current month before and after; None is unlimited."""

    cap: SpendCap
    from_nanos: int | None
    to_nanos: int | None
    this_month_only: bool
    audit: AuditEntry


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
    return _set(
        organization,
        subject=organization.name,
        amount_nanos=amount_nanos,
        this_month_only=this_month_only,
        actor=actor,
        now=now,
        level=CapLevel.ORGANIZATION,
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
    """Cap each person on a seat tier who has no cap of their own; seat-based Enterprise
    only (C1).

    Raises BusinessError `no_seat_caps` on other plans, `unknown_seat_tier`, or for a
    bad amount.
    """
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
    return _set(
        organization,
        subject=str(Tier(tier).label),
        amount_nanos=amount_nanos,
        this_month_only=this_month_only,
        actor=actor,
        now=now,
        level=CapLevel.SEAT_TIER,
        seat_tier=tier,
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
    """Cap one person; None removes the individual cap, so that the seat tier's applies
    again (C2).

    Raises BusinessError `member_inactive` for somebody who was removed, or for a bad
    amount.
    """
    if membership.organization_id != organization.pk:
        raise ValueError("The membership belongs to another organization.")
    if not membership.is_active:
        raise BusinessError(
            _("%(name)s was removed from %(organization)s. Bring them back first.")
            % {"name": membership.user, "organization": organization.name},
            code="member_inactive",
        )
    return _set(
        organization,
        subject=str(membership.user),
        amount_nanos=amount_nanos,
        this_month_only=this_month_only,
        actor=actor,
        now=now,
        level=CapLevel.MEMBER,
        membership=membership,
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


@transaction.atomic
def _set(
    organization: Organization,
    *,
    subject: str,
    amount_nanos: int | None,
    this_month_only: bool,
    actor: Actor,
    now: dt.datetime,
    level: CapLevel,
    seat_tier: str | None = None,
    membership: Membership | None = None,
) -> CapChange:
    check_amount(amount_nanos)
    locked = lock_organization(organization.pk)
    month_on = locked.calendar.month_at(now).first_on
    target = {
        "organization": locked,
        "level": level,
        "seat_tier": seat_tier,
        "membership": membership,
    }
    cap = SpendCap.objects.filter(**target).first() or SpendCap(**target)
    before, from_nanos = _as_audited(cap, month_on), cap.amount_in(month_on)
    if this_month_only:
        cap.month_on, cap.month_amount_nanos = month_on, amount_nanos
    else:
        cap.amount_nanos, cap.month_on, cap.month_amount_nanos = (
            amount_nanos,
            None,
            None,
        )
    cap.save()
    audit = record_change(
        locked,
        actor=actor,
        action=f"cap.{level}",
        subject=subject,
        now=now,
        membership=membership,
        from_value=before,
        to_value=_as_audited(cap, month_on),
    )
    return CapChange(cap, from_nanos, amount_nanos, this_month_only, audit)


def _as_audited(cap: SpendCap, month_on: dt.date) -> dict[str, Any]:
    """What the audit keeps: the amount of this month, and what it falls back to when it
    is for this month only.
    """
    if cap.is_for_month_only(month_on):
        month_only = month_on.isoformat()
        return {
            "amount_nanos": cap.month_amount_nanos,
            "month_only": month_only,
            "then_nanos": cap.amount_nanos,
        }
    return {"amount_nanos": cap.amount_nanos}
