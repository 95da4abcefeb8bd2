"""Switching people's accounts off and on: an operator's act. Nobody is ever deleted."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.leaving import withdraw_invitations
from accounts.actions.organizations import lock_organization
from accounts.actions.seats import SEAT_FIELDS, move_to_seat
from accounts.actions.tokens import end_tokens
from accounts.models import Membership, Organization, User
from config.kit.errors import BusinessError


@transaction.atomic
def switch_person(user: User, *, on: bool, actor: Actor, now: dt.datetime) -> User:
    """Switch somebody's account off, or on again; doing it again changes nothing.

    Off, they are refused at the next check everywhere, their sessions end, they get no
    mails, their personal tokens end, and what they promised by open invitations is
    withdrawn. Each of their organizations has it in its audit. Seats, caps and API keys
    of organizations stay as they are.

    Raises BusinessError `primary_owner_stays` for somebody without whom an organization
    would have no primary owner who can act.
    """
    organizations = [
        lock_organization(organization_id)
        for organization_id in Membership.objects.active()
        .filter(user=user)
        .order_by("organization_id")
        .values_list("organization_id", flat=True)
    ]
    fresh = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if fresh.is_active == on:
        return fresh
    if not on:
        refuse_primary_owner(fresh)
    for organization in organizations:
        _switch_in(organization, fresh, on=on, actor=actor, now=now)
    fresh.is_active = on
    fresh.save(update_fields=["is_active"])
    return fresh


def refuse_primary_owner(user: User) -> None:
    """Raise BusinessError `primary_owner_stays` where somebody is a primary owner, with
    of what, and what to do first.
    """
    owned = list(Organization.objects.filter(primary_owner=user).order_by("name")[:3])
    if owned:
        names = ", ".join(organization.name for organization in owned)
        raise BusinessError(
            _(
                "%(name)s is the primary owner of %(organization)s. Hand over the "
                "primary owner first, then switch them off."
            )
            % {"name": user, "organization": names},
            code="primary_owner_stays",
        )


def _switch_in(
    organization: Organization, user: User, *, on: bool, actor: Actor, now: dt.datetime
) -> None:
    """Keep the moment with the membership, so that late usage of before counts as it
    was (E5).
    """
    membership = Membership.objects.select_related("user").get(
        organization=organization, user=user
    )
    move_to_seat(membership, membership.seat_tier, now=now)
    membership.save(update_fields=SEAT_FIELDS)
    record_change(
        organization,
        actor=actor,
        action="member.switch_on" if on else "member.switch_off",
        subject=str(user),
        now=now,
        membership=membership,
    )
    if not on:
        withdraw_invitations(organization, sent_by=user, actor=actor, now=now)
        end_tokens(organization, membership, actor=actor, now=now)
