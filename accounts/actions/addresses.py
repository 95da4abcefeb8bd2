"""The one address of a person: changed by operators, proven by an invitation's mail (S4)."""

from __future__ import annotations

import datetime as dt
import uuid

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_for_many
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import lock_organization
from accounts.actions.security import NOWHERE, Origin, record_security_event
from accounts.actions.tokens import end_tokens
from accounts.models import Membership, Organization, SecurityEvent, User
from config.kit.addresses import canonical_address, refuse_erased_form
from config.kit.errors import BusinessError

TOLD_WITHIN = dt.timedelta(days=3)


@transaction.atomic
def change_address(
    person: User,
    *,
    email: str,
    by: User,
    now: dt.datetime,
    origin: Origin = NOWHERE,
    reason: str = "",
) -> list[int]:
    """Let a person sign in, be found and be mailed by `email` alone; the ids of the
    mails to both addresses.

    The address before is worth nothing from now on: sessions and reset links are bound
    to the address and end with it, and their personal tokens end everywhere. It goes on
    naming reported usage (E6a). Each organization's audit says so.

    Raises BusinessError `address_taken`, `address_reserved`.
    """
    before = person.email
    if before == canonical_address(email):
        return []
    email = refuse_taken_address(person, email)
    organizations = _lock_organizations(person)
    _set_address(person, email)
    EmailAddress.objects.filter(user=person).delete()
    actor = Actor.person(by, reason=reason)
    record_for_many(
        [organization.pk for organization in organizations],
        actor=actor,
        action="member.address",
        subject=str(person),
        now=now,
        from_value=before,
        to_value=email,
    )
    _end_all_tokens(person, organizations, actor=actor, now=now)
    record_security_event(
        SecurityEvent.Kind.ADDRESS_CHANGED,
        person=person,
        operator=by,
        origin=origin,
        now=now,
    )
    return _tell_both(person, before, now=now)


def refuse_taken_address(person: User, email: str) -> str:
    """The address in its one spelling, where a person may have it.

    Raises BusinessError `address_taken`, `address_reserved`, `no_change`.
    """
    email = canonical_address(email)
    refuse_erased_form(email)
    if person.email == email:
        raise BusinessError(
            _("They have that address already."),
            code="no_change",
            status=422,
            field="email",
        )
    if User.objects.filter(email=email).exclude(pk=person.pk).exists():
        raise _taken(email)
    return email


def _taken(email: str) -> BusinessError:
    return BusinessError(
        _("Somebody else has the address %(email)s.") % {"email": email},
        code="address_taken",
        field="email",
    )


def _lock_organizations(person: User) -> list[Organization]:
    """All they belong to, in the order of every act that locks several."""
    theirs = Membership.objects.active().filter(user=person)
    ids = theirs.order_by("organization_id").values_list("organization_id", flat=True)
    return [lock_organization(pk) for pk in ids]


def _end_all_tokens(
    person: User, organizations: list[Organization], *, actor: Actor, now: dt.datetime
) -> None:
    """Whoever got in by the address before may have made one."""
    for organization in organizations:
        member = organization.memberships.select_related("user").get(user=person)
        end_tokens(organization, member, actor=actor, now=now)


def _set_address(person: User, email: str) -> None:
    person.email = email
    try:
        with transaction.atomic():
            person.save(update_fields=["email"])
    except IntegrityError as error:
        raise _taken(email) from error


def _tell_both(person: User, before: str, *, now: dt.datetime) -> list[int]:
    """Who reads the mailbox before learns that it changed, not where to."""
    change = uuid.uuid4().hex
    mails = [
        QueuedMail(
            None,
            "address_changed",
            f"address_changed:{change}:{side}",
            {"is_new": side == "new", "before": before},
            address=address,
            language=person.language,
        )
        for side, address in (("old", before), ("new", person.email))
    ]
    return queue_mails(None, mails, now=now, within=TOLD_WITHIN)


def prove_address(person: User) -> None:
    """A mail to their address reached them: the library's row beside theirs says so."""
    EmailAddress.objects.filter(email=person.email).exclude(user=person).delete()
    EmailAddress.objects.filter(user=person).exclude(email=person.email).delete()
    EmailAddress.objects.update_or_create(
        user=person,
        email=person.email,
        defaults={"verified": True, "primary": True},
    )
