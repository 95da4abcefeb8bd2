"""Assigning seats (D4): what is assigned never exceeds what was bought, also when two
owners assign at once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.watching import limits_change
from accounts.models import AuditEntry, Membership, Organization, SeatTier, Tier
from config.kit.errors import BusinessError


def take_seat(organization: Organization, tier: str | None) -> None:
    """Make sure a seat of `tier` is free; call it under the organization's lock, before
    the seat is given.

    Raises BusinessError `no_free_seat`, or `unknown_seat_tier`.
    """
    if tier is None:
        return
    if tier not in Tier.values:
        raise BusinessError(
            _("“%(tier)s” is not a seat tier.") % {"tier": tier},
            code="unknown_seat_tier",
            status=422,
        )
    bought = (
        SeatTier.objects.filter(organization=organization, tier=tier)
        .values_list("bought", flat=True)
        .first()
        or 0
    )
    assigned = organization.memberships.on_seat(tier).count()
    if assigned >= bought:
        raise BusinessError(
            _(
                "All %(bought)d %(tier)s seats are assigned. Free one up, or ask "
                "your contact to add seats."
            )
            % {"bought": bought, "tier": Tier(tier).label},
            code="no_free_seat",
            field="seat_tier",
        )


# Who toggles a seat more often than this loses the oldest of it; the audit has all.
PAST_SEATS_KEPT = 200
SEAT_FIELDS = ("seat_tier", "past_seats", "seat_changed_at")


def move_to_seat(membership: Membership, tier: str | None, *, now: dt.datetime) -> None:
    """Put a member on another seat, or none, and keep until when the one before held
    (E5), and whether they could use it. Call it under the organization's lock with a
    fresh row, before `status` changes; save SEAT_FIELDS.
    """
    held = [now.isoformat(), membership.seat_tier, membership.is_enabled]
    membership.past_seats = [*membership.past_seats, held][-PAST_SEATS_KEPT:]
    membership.seat_changed_at = now
    membership.seat_tier = tier


@dataclass(frozen=True, slots=True)
class SeatChange:
    """A member on their seat, and the audit entry of the change; none when they had that
    seat already.
    """

    membership: Membership
    audit: AuditEntry | None


@transaction.atomic
def assign_seat(
    membership: Membership, *, tier: str | None, actor: Actor, now: dt.datetime
) -> SeatChange:
    """Give a member a seat of `tier`, or none. Works at the next check.

    Raises BusinessError `no_free_seat`, `member_inactive` for somebody who was removed.
    """
    organization = lock_organization(membership.organization_id)
    locked = Membership.objects.select_related("user", "organization").get(
        pk=membership.pk
    )
    if not locked.is_active:
        raise BusinessError(
            _("%(name)s was removed. Bring them back first.") % {"name": locked.user},
            code="member_inactive",
        )
    if locked.seat_tier == tier:
        return SeatChange(locked, None)
    take_seat(organization, tier)
    before = locked.seat_tier
    with limits_change(organization, membership_id=locked.pk, now=now):
        move_to_seat(locked, tier, now=now)
        locked.save(update_fields=SEAT_FIELDS)
    audit = record_change(
        organization,
        actor=actor,
        action="member.seat",
        subject=str(locked.user),
        now=now,
        membership=locked,
        from_value=before,
        to_value=tier,
    )
    return SeatChange(locked, audit)


def refuse_fewer_than_assigned(
    organization: Organization, tier: str, bought: int, *, field: str = "bought"
) -> int:
    """How many seats of a tier are assigned.

    Raises BusinessError `seats_in_use` where fewer would be bought.
    """
    assigned = organization.memberships.on_seat(tier).count()
    if bought < assigned:
        raise BusinessError(
            _("%(assigned)d %(tier)s seats are assigned; %(bought)d would be too few.")
            % {"assigned": assigned, "tier": Tier(tier).label, "bought": bought},
            code="seats_in_use",
            status=422,
            field=field,
        )
    return assigned


@transaction.atomic
def change_seats(
    organization: Organization,
    bought: dict[str, int],
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """How many seats of each tier the contract has, all of them or none.

    Raises BusinessError `seats_in_use`, at the tier's field.
    """
    for tier, number in bought.items():
        try:
            set_bought_seats(
                organization, tier=tier, bought=number, actor=actor, now=now
            )
        except BusinessError as error:
            error.field = tier
            raise


@transaction.atomic
def set_bought_seats(
    organization: Organization,
    *,
    tier: str,
    bought: int,
    actor: Actor,
    now: dt.datetime,
) -> SeatTier:
    """How many seats of a tier the contract has; an operator's act.

    Raises BusinessError `seats_in_use`.
    """
    locked = lock_organization(organization.pk)
    refuse_fewer_than_assigned(locked, tier, bought)
    row, _made = SeatTier.objects.get_or_create(organization=locked, tier=tier)
    before, row.bought = row.bought, bought
    if before != bought:
        row.save(update_fields=["bought"])
        record_change(
            locked,
            actor=actor,
            action="organization.seats",
            subject=tier,
            now=now,
            from_value=before,
            to_value=bought,
        )
    return row
