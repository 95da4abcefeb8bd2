"""Inviting people by mail with a link that expires, and joining by it.

Only the link's digest is stored.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.actions.addresses import prove_address
from accounts.actions.audit import Actor, record_change
from accounts.actions.invitation_limits import refuse_one_too_many
from accounts.actions.members import refuse_unless_may_make
from accounts.actions.organizations import lock_organization
from accounts.actions.seats import SEAT_FIELDS, move_to_seat, take_seat
from accounts.models import Invitation, Membership, Organization, User
from config.kit.addresses import canonical_address, refuse_erased_form
from config.kit.errors import BusinessError
from config.kit.one_line import name_of


def digest_of(token: str) -> str:
    """The stored form of an invitation's token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def invite(
    organization: Organization,
    *,
    email: str,
    role: str,
    seat_tier: str | None,
    by: Membership,
    now: dt.datetime,
) -> tuple[Invitation, str]:
    """A new invitation and its token, for the mail.

    An open one for the same address is replaced.

    Raises BusinessError `already_member`, `no_free_seat`, `primary_owner_only`,
    `mailed_today`, `too_many_invitations`, `address_reserved`.
    """
    locked = lock_organization(organization.pk)
    email = canonical_address(email)
    refuse_erased_form(email)
    refuse_unless_may_make(role, by=by)
    if locked.memberships.active().filter(user__email=email).exists():
        raise BusinessError(
            _("%(email)s is already a member.") % {"email": email},
            code="already_member",
            field="email",
        )
    take_seat(locked, seat_tier)
    refuse_one_too_many(locked, email, now=now)
    _open(locked, email).update(revoked_at=now)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=locked,
        email=email,
        base_role=role,
        seat_tier=seat_tier,
        token_digest=digest_of(token),
        invited_by=by.user,
        created_at=now,
        expires_at=now + dt.timedelta(days=settings.INVITATION_DAYS),
    )
    record_change(
        locked,
        actor=Actor.person(by.user),
        action="invitation.send",
        subject=email,
        now=now,
        to_value={"role": role, "seat": seat_tier},
    )
    return invitation, token


def _open(organization: Organization, email: str):  # type: ignore[no-untyped-def]
    return Invitation.objects.filter(
        organization=organization,
        email=email,
        accepted_at__isnull=True,
        revoked_at__isnull=True,
    )


@transaction.atomic
def revoke_invitation(
    invitation: Invitation, *, by: Membership, now: dt.datetime
) -> None:
    """Make the link stop working; doing it again changes nothing."""
    locked = lock_organization(invitation.organization_id)
    if _open(locked, invitation.email).filter(pk=invitation.pk).update(revoked_at=now):
        record_change(
            locked,
            actor=Actor.person(by.user),
            action="invitation.revoke",
            subject=invitation.email,
            now=now,
        )


def open_invitation(token: str, *, now: dt.datetime) -> Invitation | None:
    """The invitation a link stands for, while it can be accepted."""
    return (
        Invitation.objects.pending(now=now)
        .select_related("organization", "invited_by")
        .filter(token_digest=digest_of(token))
        .first()
    )


@transaction.atomic
def accept_invitation(
    token: str,
    *,
    user: User | None,
    name: str = "",
    password: str = "",
    now: dt.datetime,
) -> Membership:
    """Join: as `user` when signed in under the invited address, else as a new person
    with `name` and `password`.

    Without a free seat of the promised tier the person joins without one. Raises
    BusinessError `invitation_gone`, `other_address`, `has_account` (sign in first),
    `not_one_line`, `has_link` or `weak_password`.
    """
    invitation = open_invitation(token, now=now)
    if invitation is None:
        raise _gone()
    locked = lock_organization(invitation.organization_id)
    if not Invitation.objects.filter(
        pk=invitation.pk, accepted_at__isnull=True, revoked_at__isnull=True
    ).update(accepted_at=now):
        raise _gone()
    person = user or _new_person(invitation, name=name, password=password)
    if person.email != invitation.email:
        raise BusinessError(
            _(
                "This invitation is for %(invited)s; you are signed in as %(email)s."
                " Sign out and open the link again."
            )
            % {"invited": invitation.email, "email": person.email},
            code="other_address",
        )
    prove_address(person)
    return _join(locked, invitation, person, now=now)


def _gone() -> BusinessError:
    return BusinessError(
        _(
            "This invitation has expired or was already used or withdrawn. Ask for a new one."
        ),
        code="invitation_gone",
        status=410,
    )


def _new_person(invitation: Invitation, *, name: str, password: str) -> User:
    if User.objects.filter(email=invitation.email).exists():
        raise BusinessError(
            _("%(email)s already has an account. Sign in and open the link again.")
            % {"email": invitation.email},
            code="has_account",
        )
    person = User(
        email=invitation.email,
        name=name_of(name, field="name", most=120),
        language=(get_language() or "en")[:2],
    )
    person.joins = invitation.organization  # for what the password may not be made of
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise BusinessError(
            " ".join(error.messages), code="weak_password", status=422, field="password"
        ) from error
    person.set_password(password)
    try:
        person.save()
    except IntegrityError as error:  # two tabs
        raise _gone() from error
    return person


def _join(
    organization: Organization,
    invitation: Invitation,
    person: User,
    *,
    now: dt.datetime,
) -> Membership:
    seat_tier = invitation.seat_tier
    try:
        take_seat(organization, seat_tier)
    except BusinessError:
        # the last seat went to somebody else meanwhile; an owner sees who has none
        seat_tier = None
    membership, is_new = Membership.objects.get_or_create(
        organization=organization,
        user=person,
        defaults={
            "base_role": invitation.base_role,
            "seat_tier": seat_tier,
            "joined_at": now,
        },
    )
    if not is_new and not membership.is_active:
        move_to_seat(membership, seat_tier, now=now)
        membership.status, membership.removed_at = "active", None
        membership.base_role = invitation.base_role
        membership.save(
            update_fields=["status", "removed_at", "base_role", *SEAT_FIELDS]
        )
    record_change(
        organization,
        actor=Actor.person(person),
        action="invitation.accept",
        subject=str(person),
        now=now,
        membership=membership,
        to_value={"role": membership.base_role, "seat": membership.seat_tier},
    )
    return membership
