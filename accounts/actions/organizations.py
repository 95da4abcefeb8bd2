"""Creating organizations, their time zone and the hand-over of the primary owner."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.leaving import withdraw_invitations
from accounts.models import (
    Membership,
    Organization,
    Plan,
    Role,
    SeatTier,
    Settlement,
    Tier,
    User,
)
from config.kit.errors import BusinessError
from config.kit.months import next_month, zone_names
from config.kit.one_line import name_of
from config.kit.zones import nearest_zone

SETTLEMENT_OF = {
    Plan.TEAM: Settlement.PREPAID,
    Plan.ENTERPRISE_SEAT: Settlement.POSTPAID,
    Plan.ENTERPRISE_USAGE: Settlement.POSTPAID,
}


def lock_organization(organization_id: int) -> Organization:
    """The organization's row, locked until the transaction ends; the first thing every
    write takes (house rule 2).

    Raises RuntimeError outside a transaction.
    """
    return Organization.objects.locked().get(pk=organization_id)


@transaction.atomic
def create_organization(
    name: str,
    *,
    slug: str,
    plan: str,
    primary_owner: User,
    billing_email: str,
    now: dt.datetime,
    timezone: str = "UTC",
    settlement: str | None = None,
    seats: dict[str, int] | None = None,
    owner_seat: str | None = None,
) -> Organization:
    """A new organization with its primary owner's membership and its bought seats by
    tier; the plan presets the settlement.

    Raises BusinessError `not_one_line` for a name that isn't one.
    """
    organization = Organization.objects.create(
        name=name_of(name, field="name"),
        slug=slug,
        plan=plan,
        settlement=settlement or SETTLEMENT_OF[Plan(plan)],
        billing_email=billing_email,
        primary_owner=primary_owner,
        timezone=timezone,
        created_at=now,
    )
    for tier in Tier:
        SeatTier.objects.create(
            organization=organization, tier=tier, bought=(seats or {}).get(tier, 0)
        )
    Membership.objects.create(
        organization=organization,
        user=primary_owner,
        base_role=Role.OWNER,
        seat_tier=owner_seat,
        joined_at=now,
    )
    return organization


def refuse_unknown_zone(text: str) -> str:
    """The IANA zone that was typed.

    Raises BusinessError `unknown_timezone`, with the one that was probably meant.
    """
    zone = text.strip()
    if zone in zone_names():
        return zone
    near = nearest_zone(zone)
    sentence = (
        _("There is no time zone “%(typed)s”. Did you mean %(near)s?")
        if near
        else _("There is no time zone “%(typed)s”; write it like Asia/Tokyo.")
    )
    raise BusinessError(
        sentence % {"typed": zone, "near": near},
        code="unknown_timezone",
        status=422,
        field="timezone",
    )


@transaction.atomic
def change_timezone(
    organization: Organization, *, timezone: str, actor: Actor, now: dt.datetime
) -> Organization:
    """Bill in another zone from the next month on; the running month keeps its own (C5).

    Raises BusinessError `unknown_timezone`.
    """
    timezone = refuse_unknown_zone(timezone)
    locked = lock_organization(organization.pk)
    if timezone == locked.timezone:
        return locked
    from_value = locked.timezone
    since = next_month(locked.calendar.month_at(now).first_on)
    changed = locked.calendar.changed(timezone, since=since)
    locked.timezone = changed.zone
    locked.past_timezones = [
        [until_on.isoformat(), zone] for until_on, zone in changed.past
    ]
    locked.save(update_fields=["timezone", "past_timezones"])
    record_change(
        locked,
        actor=actor,
        action="organization.timezone",
        subject=locked.name,
        now=now,
        from_value=from_value,
        to_value=timezone,
    )
    return locked


@transaction.atomic
def hand_over_primary_owner(
    organization: Organization,
    *,
    membership: Membership,
    actor: Actor,
    now: dt.datetime,
) -> Organization:
    """Make an active member the primary owner; the one before stays an owner (D3), and
    what only a primary owner may promise is withdrawn.

    Raises BusinessError `not_active` for a removed member or one whose account is
    switched off, `already_primary_owner` for the present one.
    """
    locked = lock_organization(organization.pk)
    target = Membership.objects.select_related("user").get(
        pk=membership.pk, organization=locked
    )
    refuse_as_primary_owner(locked, target)
    before = locked.primary_owner
    target.base_role = Role.OWNER
    target.save(update_fields=["base_role"])
    locked.primary_owner = target.user
    locked.save(update_fields=["primary_owner"])
    record_change(
        locked,
        actor=actor,
        action="organization.primary_owner",
        subject=locked.name,
        now=now,
        membership=target,
        from_value=before.email,
        to_value=target.user.email,
    )
    withdraw_invitations(
        locked, sent_by=before, roles=[Role.OWNER], actor=actor, now=now
    )
    return locked


def refuse_as_primary_owner(organization: Organization, target: Membership) -> None:
    """Raise BusinessError `not_active`, `already_primary_owner` for who can't become it."""
    _check_can_act(target)
    if organization.primary_owner_id == target.user_id:
        raise BusinessError(
            _("%(name)s is already the primary owner.") % {"name": target.user},
            code="already_primary_owner",
        )


def _check_can_act(target: Membership) -> None:
    if not target.is_active:
        raise BusinessError(
            _(
                "%(name)s was removed and can't be the primary owner. Bring them back first."
            )
            % {"name": target.user},
            code="not_active",
        )
    if not target.is_enabled:
        raise BusinessError(
            _(
                "The account of %(name)s is switched off, so they can't be the primary owner."
            )
            % {"name": target.user},
            code="not_active",
        )
