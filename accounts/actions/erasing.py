"""Erasing a person: a pseudonym takes the place of name and address in every table, those
that only grow among them, and nothing lets the former mailbox in again.

The books stay: no amount, count or moment changes. What tables hold is declared by the
apps (`config.kit.personal`).
"""

from __future__ import annotations

import datetime as dt
import secrets

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.replacing import Touched, replace_everywhere
from accounts.models import (
    NOBODYS_ADDRESS,
    ApiKey,
    Erasure,
    FormerAddress,
    Invitation,
    Membership,
    Organization,
    OutgoingMail,
    User,
)
from config.kit.addresses import ERASED_DOMAIN, erased_form, spellings
from config.kit.errors import BusinessError
from config.kit.mentions import StandIn
from config.kit.personal import personal_tables


@transaction.atomic
def erase_person(
    person: User, *, actor: Actor, now: dt.datetime
) -> tuple[Erasure, list[Touched]]:
    """Erase somebody who belongs to no organization any more; the pseudonym, and what was
    replaced where.

    Raises BusinessError `already_erased`, `nobody`, `yourself`, `primary_owner_stays`,
    `member_active`, `address_in_use`, `last_operator`, `superuser_stays`.
    """
    return _erase(person, _lock_organizations(person), actor=actor, now=now)


def _erase(
    person: User, organizations: list[Organization], *, actor: Actor, now: dt.datetime
) -> tuple[Erasure, list[Touched]]:
    user = User.objects.select_for_update().get(pk=person.pk)
    _refuse_unless_erasable(user, actor=actor)
    own, shared = _addresses_of(user)
    names = _names_of(user)
    erasure = _new_pseudonym(user, actor=actor, now=now)
    touched = _end_all_ways_in(user, own, now=now)
    _rename(user, erasure)
    stand_in = StandIn(
        erasure.name, erasure.email, _spelled(own | shared), frozenset(names)
    )
    touched += replace_everywhere(
        user, stand_in, elsewhere=_spelled(own), within=organizations
    )
    everywhere: list[Organization | None] = [*organizations]
    for organization in everywhere or [None]:
        record_change(
            organization,
            actor=actor,
            action="member.erase",
            subject=erasure.name,
            now=now,
            membership=_membership_in(organization, user),
        )
    erasure.finished_at = now
    erasure.save(update_fields=["finished_at"])
    return erasure, touched


def rehearse_erasure(
    person: User, *, actor: Actor, now: dt.datetime
) -> tuple[Erasure, list[Touched]]:
    """What `erase_person` would do, done and taken back: nothing stays.

    Without the organizations' locks: nobody who reports usage waits for a rehearsal.
    Raises the same.
    """
    organizations = list(Organization.objects.filter(memberships__user=person))
    with transaction.atomic():
        result = _erase(person, organizations, actor=actor, now=now)
        transaction.set_rollback(True)
    return result


def _lock_organizations(person: User) -> list[Organization]:
    """All they ever belonged to, in one order, so that two erasures never wait for each
    other.
    """
    ids = Membership.objects.filter(user=person).values_list("organization", flat=True)
    return [lock_organization(pk) for pk in sorted(ids)]


def _membership_in(organization: Organization | None, user: User) -> Membership | None:
    return Membership.objects.filter(organization=organization, user=user).first()


def _refuse_unless_erasable(user: User, *, actor: Actor) -> None:
    if Erasure.objects.filter(user=user).exists():
        raise BusinessError(_("This person was erased before."), code="already_erased")
    if user.email == NOBODYS_ADDRESS:
        raise BusinessError(
            _("This is no person, but the line for usage of somebody unknown."),
            code="nobody",
        )
    if actor.user == user:
        raise BusinessError(
            _("You can't erase yourself. Ask another operator."), code="yourself"
        )
    if user.is_superuser and actor.user and not actor.user.is_superuser:
        raise BusinessError(
            _("%(name)s is a superuser, whom only a superuser can erase.")
            % {"name": user},
            code="superuser_stays",
        )
    active = user.memberships.active().select_related("organization")
    for membership in active.order_by("organization__name"):
        facts = {"name": user, "organization": membership.organization}
        if membership.organization.primary_owner_id == user.pk:
            sentence = _(
                "%(name)s is the primary owner of %(organization)s. Hand over that role"
                " and remove them there first."
            )
            raise BusinessError(sentence % facts, code="primary_owner_stays")
        sentence = _(
            "%(name)s is a member of %(organization)s. Remove them there first."
        )
        raise BusinessError(sentence % facts, code="member_active")
    _refuse_while_billed(user)
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise BusinessError(
            _("%(name)s is the only operator. Make another one first.")
            % {"name": user},
            code="last_operator",
        )


def _refuse_while_billed(user: User) -> None:
    own, _shared = _addresses_of(user)
    those = Q()
    for address in own:
        those |= Q(billing_email__iexact=address)
    billed = Organization.objects.filter(those).first() if own else None
    if billed:
        raise BusinessError(
            _(
                "Their address is the billing e-mail of %(organization)s. Change it"
                " there first."
            )
            % {"organization": billed},
            code="address_in_use",
        )


def _addresses_of(user: User) -> tuple[set[str], set[str]]:
    """The addresses they have or had: theirs alone, and those that somebody else has or
    had as well. Whatever names the latter elsewhere may mean the other.
    """
    former = set(user.former_addresses.values_list("email", flat=True))
    known = {user.email, *former, *_proven_addresses(user)}
    theirs = set(User.objects.exclude(pk=user.pk).values_list("email", flat=True))
    theirs &= known
    theirs |= set(
        FormerAddress.objects.exclude(user=user)
        .filter(email__in=known)
        .values_list("email", flat=True)
    )
    return known - theirs, known & theirs


def _proven_addresses(user: User) -> list[str]:
    rows = EmailAddress.objects.filter(user=user)
    addresses = rows.values_list("email", flat=True)
    return [address.lower() for address in addresses]


def _names_of(user: User) -> set[str]:
    """Their name, and those they had before as rows about them tell."""
    names = {user.name}
    for table in personal_tables():
        if table.past_names:
            names.update(table.past_names(user))
    return {name for name in names if name.strip() and "@" not in name}


def _spelled(addresses: set[str]) -> frozenset[str]:
    return frozenset(form for address in addresses for form in spellings(address))


def _new_pseudonym(user: User, *, actor: Actor, now: dt.datetime) -> Erasure:
    code = secrets.token_hex(4)
    return Erasure.objects.create(
        user=user,
        code=code,
        # A name of the books, the same in every language.
        name=f"Erased person {code}",
        email=f"removed-{code}{ERASED_DOMAIN}",
        erased_at=now,
        erased_by=actor.user,
    )


def _end_all_ways_in(user: User, own: set[str], *, now: dt.datetime) -> list[Touched]:
    """Sessions, personal tokens, invitations and mails under way. Password, second
    factors and proven addresses go with the rows.
    """
    Invitation.objects.filter(
        email__in=own, accepted_at__isnull=True, revoked_at__isnull=True
    ).update(revoked_at=now)
    OutgoingMail.objects.waiting().filter(
        Q(user=user) | Q(user__isnull=True, address__in=own)
    ).update(dropped_at=now, last_error="")
    # With their names, and from where they were used.
    tokens = ApiKey.objects.filter(membership__user=user).delete()[0]
    ended = _end_sessions(user, now=now)
    LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk)
    ).update(object_repr=f"#{user.pk}")
    gone = [
        Touched(_("sessions"), "", ended, "deleted"),
        Touched(_("personal tokens"), "", tokens, "deleted"),
    ]
    return [one for one in gone if one.rows]


def _end_sessions(user: User, *, now: dt.datetime) -> int:
    """A session says whose it is only inside."""
    theirs = [
        session.pk
        for session in Session.objects.filter(expire_date__gte=now).iterator()
        if session.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    Session.objects.filter(pk__in=theirs).delete()
    return len(theirs)


def _rename(user: User, erasure: Erasure) -> None:
    """The person's own row. The database keeps the address they had with the change;
    what stays of it is its hash, by which late usage finds them.
    """
    user.email, user.name, user.language = erasure.email, erasure.name, "en"
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.set_unusable_password()
    user.save()
    user.groups.clear()
    user.user_permissions.clear()
    for former in user.former_addresses.all():
        former.email = erased_form(former.email)
        former.save(update_fields=["email"])
