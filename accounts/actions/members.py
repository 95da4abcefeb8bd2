"""Roles, removal and return of members (D3). Who was removed stays in every report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.leaving import revoke_keys, withdraw_invitations
from accounts.actions.organizations import lock_organization
from accounts.actions.seats import (
    SEAT_FIELDS,
    assign_seat,
    move_to_seat,
    take_seat,
)
from accounts.actions.tokens import end_tokens
from accounts.models import Membership, Organization, Role
from accounts.models.people import ASSIGNED_ROLES
from config.kit.errors import BusinessError


def _locked(membership: Membership) -> tuple[Organization, Membership]:
    organization = lock_organization(membership.organization_id)
    fresh = Membership.objects.select_related("user", "organization").get(
        pk=membership.pk
    )
    return organization, fresh


def refuse_unless_may_make(role: str, *, by: Membership) -> None:
    """Only the primary owner makes owners (D3).

    Raises BusinessError `primary_owner_only`, `unknown_role`.
    """
    if role not in ASSIGNED_ROLES:
        raise BusinessError(
            _("“%(role)s” is not a role.") % {"role": role},
            code="unknown_role",
            status=422,
        )
    if role == Role.OWNER and by.role is not Role.PRIMARY_OWNER:
        raise BusinessError(
            _("Only the primary owner, %(name)s, can make someone an owner.")
            % {"name": by.organization.primary_owner},
            code="primary_owner_only",
            status=403,
            field="role",
        )


@transaction.atomic
def change_role(
    membership: Membership,
    *,
    role: str,
    by: Membership,
    now: dt.datetime,
    keys: Collection[int] = (),
) -> Membership:
    """Give a member another role.

    Only the primary owner makes owners or takes that role away (D3). Who is no owner any
    more leaves no open invitation behind, and none of these API keys (ids) of theirs.

    Raises BusinessError `primary_owner_stays`, `primary_owner_only`, `member_inactive`,
    `unknown_role`.
    """
    organization, member = _locked(membership)
    if member.role is Role.PRIMARY_OWNER:
        raise BusinessError(
            _("%(name)s is the primary owner. Hand over that role first.")
            % {"name": member.user},
            code="primary_owner_stays",
        )
    if not member.is_active:
        raise BusinessError(
            _("%(name)s was removed. Bring them back first.") % {"name": member.user},
            code="member_inactive",
        )
    if member.base_role == role:
        return member
    refuse_unless_may_make(
        Role.OWNER if member.base_role == Role.OWNER else role, by=by
    )
    refuse_unless_may_make(role, by=by)
    before, member.base_role = member.base_role, role
    member.save(update_fields=["base_role"])
    record_change(
        organization,
        actor=Actor.person(by.user),
        action="member.role",
        subject=str(member.user),
        now=now,
        membership=member,
        from_value=before,
        to_value=role,
    )
    if before == Role.OWNER:
        _clear_up(organization, member, by=by, keys=keys, now=now)
    return member


def _clear_up(
    organization: Organization,
    member: Membership,
    *,
    by: Membership,
    keys: Collection[int],
    now: dt.datetime,
) -> None:
    """Take back what only an owner may give."""
    actor = Actor.person(by.user)
    withdraw_invitations(organization, sent_by=member.user, actor=actor, now=now)
    revoke_keys(organization, made_by=member.user, keys=keys, actor=actor, now=now)


@transaction.atomic
def edit_member(
    membership: Membership,
    *,
    seat_tier: str | None,
    role: str | None,
    by: Membership,
    now: dt.datetime,
    keys: Collection[int] = (),
) -> Membership:
    """Role and seat at once, both or neither; `keys` as in `change_role`.

    Raises what `assign_seat` and `change_role` raise.
    """
    member = assign_seat(
        membership, tier=seat_tier, actor=Actor.person(by.user), now=now
    ).membership
    if role is None:
        return member
    return change_role(member, role=role, by=by, now=now, keys=keys)


@transaction.atomic
def remove_member(
    membership: Membership,
    *,
    by: Membership,
    now: dt.datetime,
    keys: Collection[int] = (),
) -> Membership:
    """Take somebody out: refused at the next check, seat freed, history kept. Their open
    invitations are withdrawn, their personal tokens end, and these API keys (ids) of
    theirs are revoked.

    Doing it again changes nothing.

    Raises BusinessError `primary_owner_stays`, `primary_owner_only` for an owner
    removing an owner.
    """
    organization, member = _locked(membership)
    if member.role is Role.PRIMARY_OWNER:
        raise BusinessError(
            _(
                "%(name)s is the primary owner and can't be removed. Hand over that "
                "role first."
            )
            % {"name": member.user},
            code="primary_owner_stays",
        )
    if not member.is_active:
        return member
    if member.base_role == Role.OWNER and member.pk != by.pk:
        refuse_unless_may_make(Role.OWNER, by=by)
    before = {"role": member.base_role, "seat": member.seat_tier}
    move_to_seat(member, None, now=now)
    member.status, member.removed_at, member.base_role = "removed", now, Role.MEMBER
    member.save(update_fields=["status", "removed_at", "base_role", *SEAT_FIELDS])
    record_change(
        organization,
        actor=Actor.person(by.user),
        action="member.remove",
        subject=str(member.user),
        now=now,
        membership=member,
        from_value=before,
    )
    end_tokens(organization, member, actor=Actor.person(by.user), now=now)
    _clear_up(organization, member, by=by, keys=keys, now=now)
    return member


@transaction.atomic
def bring_back(
    membership: Membership, *, seat_tier: str | None, by: Membership, now: dt.datetime
) -> Membership:
    """Let somebody who was removed in again, as a member, with a seat or without.

    Raises BusinessError `erased`, `no_free_seat`.
    """
    organization, member = _locked(membership)
    if member.is_active:
        return member
    if member.is_erased:
        raise BusinessError(
            _("This person was erased. Invite them anew to let them in again."),
            code="erased",
        )
    take_seat(organization, seat_tier)
    move_to_seat(member, seat_tier, now=now)
    member.status, member.removed_at = "active", None
    member.save(update_fields=["status", "removed_at", *SEAT_FIELDS])
    record_change(
        organization,
        actor=Actor.person(by.user),
        action="member.return",
        subject=str(member.user),
        now=now,
        membership=member,
        to_value={"role": member.base_role, "seat": seat_tier},
    )
    return member
