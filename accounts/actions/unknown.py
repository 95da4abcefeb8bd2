"""Somebody whom nobody knows (X2): what an organization wants done about them, making
them a member where it wants that, and the line on which their usage stands otherwise.
"""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.seats import take_seat
from accounts.models import (
    NOBODYS_ADDRESS,
    NOBODYS_NAME,
    AuditEntry,
    Membership,
    Organization,
    Role,
    UnknownPeople,
    User,
)
from accounts.queries import former_holders, is_membership_id
from config.kit.addresses import canonical_address, is_erased
from config.kit.errors import BusinessError
from config.kit.mail_domains import canonical_domain, is_public
from config.kit.one_line import name_of

MOST_DOMAINS = 50
# What the audit calls it.
ADDED = "member.add"
# People whom usage makes in an organization within MOST_ADDED_WITHIN: a team that starts
# on one day, yet no crowd that a gateway's key, or a typing mistake in its setup, invents.
MOST_ADDED = 50
MOST_ADDED_WITHIN = dt.timedelta(days=1)


@transaction.atomic
def set_unknown_people(
    organization: Organization, *, choice: str, actor: Actor, now: dt.datetime
) -> Organization:
    """What a check does for somebody unknown, from the next one on.

    Raises BusinessError `unknown_choice`, or `no_own_domain` where people would be added
    and the organization has no domain of its own.
    """
    if choice not in UnknownPeople.values:
        raise BusinessError(
            _("“%(choice)s” is not a choice.") % {"choice": choice},
            code="unknown_choice",
            status=422,
            field="unknown_people",
        )
    locked = lock_organization(organization.pk)
    if choice != UnknownPeople.REFUSE and not locked.own_domains:
        raise BusinessError(
            _(
                "People are added by themselves only from mail domains that are yours "
                "alone. Ask your contact to enter yours first."
            ),
            code="no_own_domain",
            status=422,
            field="unknown_people",
        )
    before, locked.unknown_people = locked.unknown_people, choice
    locked.save(update_fields=["unknown_people"])
    record_change(
        locked,
        actor=actor,
        action="organization.unknown_people",
        subject=locked.name,
        now=now,
        from_value=before,
        to_value=choice,
    )
    return locked


def read_domains(text: str) -> list[str]:
    """The mail domains in a typed text, in their one spelling, each once, by name.

    Raises BusinessError `not_a_domain`, `public_domain`, `too_many_domains` at `domains`.
    """
    domains = set()
    for word in text.replace(",", " ").split():
        domain = canonical_domain(word)
        if domain is None or is_erased(f"@{domain}"):
            sentence = _("“%(domain)s” is no mail domain, such as acme.com.")
            raise _refused(sentence % {"domain": word}, "not_a_domain")
        if is_public(domain):
            sentence = _(
                "Anybody can have an address at %(domain)s, so it is not this "
                "customer's alone."
            )
            raise _refused(sentence % {"domain": domain}, "public_domain")
        domains.add(domain)
    if len(domains) > MOST_DOMAINS:
        sentence = _("%(most)d domains are the most there can be.")
        raise _refused(sentence % {"most": MOST_DOMAINS}, "too_many_domains")
    return sorted(domains)


def _refused(sentence: str, code: str) -> BusinessError:
    return BusinessError(sentence, code=code, status=422, field="domains")


@transaction.atomic
def set_own_domains(
    organization: Organization, *, text: str, actor: Actor, now: dt.datetime
) -> Organization:
    """Which mail domains are an organization's alone; an operator's act.

    Raises what `read_domains` raises.
    """
    domains = read_domains(text)
    locked = lock_organization(organization.pk)
    before = locked.own_domains.split()
    locked.own_domains = " ".join(domains)
    locked.save(update_fields=["own_domains"])
    record_change(
        locked,
        actor=actor,
        action="organization.own_domains",
        subject=locked.name,
        now=now,
        from_value=before,
        to_value=domains,
    )
    return locked


@transaction.atomic
def add_unknown(
    organization_id: int, *, address: str, actor: Actor, now: dt.datetime
) -> Membership | None:
    """Make whoever has an address a member, as the organization's policy says; None where
    it says no: another domain, no seat free, MOST_ADDED made already, somebody who was
    removed, switched off, belongs to another organization, or was invited and has not
    come yet.

    Once, however many ask at once. Who is a member already stays as they are.
    """
    locked = lock_organization(organization_id)
    email = canonical_address(address)
    member = _known(locked, email)
    if member is not None:
        return member if member.is_enabled else None
    if locked.unknown_people == UnknownPeople.REFUSE or not _may_join(locked, email):
        return None
    # Whoever was invited chooses a name and a password by their link, and gets its seat.
    if locked.invitations.pending(now=now).filter(email=email).exists():
        return None
    if _added(locked, now=now) >= MOST_ADDED:
        return None
    tier = UnknownPeople(locked.unknown_people).seat_tier
    try:
        take_seat(locked, tier)
        person = _person(locked, email)
    except BusinessError:  # no seat is free; a name that is no line
        return None
    # Whom somebody else knows comes by an invitation: no key of a gateway pulls them in.
    if not person.is_active or person.memberships.exists():
        return None
    return _joined(locked, person, tier, actor=actor, now=now)


def _joined(
    organization: Organization,
    person: User,
    tier: str | None,
    *,
    actor: Actor,
    now: dt.datetime,
) -> Membership:
    membership = Membership.objects.create(
        organization=organization, user=person, seat_tier=tier, joined_at=now
    )
    record_change(
        organization,
        actor=actor,
        action=ADDED,
        subject=str(person),
        now=now,
        membership=membership,
        to_value={"role": membership.base_role, "seat": tier},
    )
    return membership


def _added(organization: Organization, *, now: dt.datetime) -> int:
    """How many usage made members lately, as the audit has it."""
    return AuditEntry.objects.filter(
        organization=organization, action=ADDED, at__gt=now - MOST_ADDED_WITHIN
    ).count()


def _known(organization: Organization, email: str) -> Membership | None:
    """Whoever has the address, or had it: removed people too, who are not made again."""
    members = organization.memberships.select_related("user")
    member = members.filter(user__email=email).first()
    if member is None:
        former = former_holders(organization.pk, [email])
        member = members.filter(pk__in=former.values()).first()
    return member


def _may_join(organization: Organization, email: str) -> bool:
    if is_membership_id(email) or not organization.owns_address(email):
        return False
    try:
        validate_email(email)
    except ValidationError:
        return False
    return True


def _person(organization: Organization, email: str) -> User:
    """Who has the address, locked, or a new person without a password: they choose one by
    the link that “Forgot password” mails there. Raises BusinessError.
    """
    known = User.objects.select_for_update(no_key=True).filter(email=email).first()
    if known is not None:
        return known
    local = name_of(email.rpartition("@")[0], field="email", most=120)
    return _made(email, name=local, language=organization.primary_owner.language)


def _made(email: str, **extra: object) -> User:
    """A new person; whom another organization's transaction made meanwhile is taken."""
    try:
        with transaction.atomic():
            return User.objects.create_user(email, None, **extra)
    except IntegrityError:
        return User.objects.get(email=email)


@transaction.atomic
def make_nobody(organization_id: int, *, now: dt.datetime) -> Membership:
    """The organization's line for usage of somebody unknown; made once."""
    locked = lock_organization(organization_id)
    nobody = User.objects.filter(email=NOBODYS_ADDRESS).first() or _made(
        NOBODYS_ADDRESS, name=NOBODYS_NAME, is_active=False
    )
    line, _is_new = Membership.with_nobody.get_or_create(
        organization=locked,
        user=nobody,
        defaults={
            "status": Membership.Status.NOBODY,
            "base_role": Role.MEMBER,
            "joined_at": now,
        },
    )
    return line
