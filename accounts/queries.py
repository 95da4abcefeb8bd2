"""Reading people, seats, keys and the audit for the pages. Never writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from accounts.models import (
    ApiKey,
    AuditEntry,
    ExternalId,
    Invitation,
    Membership,
    Organization,
    Role,
    SeatTier,
    SecurityEvent,
    TwoFactor,
    UnknownPeople,
    User,
)
from config.kit.addresses import canonical_address, kept_forms
from config.kit.errors import BusinessError
from config.kit.external_names import is_external_name
from config.kit.ids import is_row_id
from config.kit.sql import run

PAGE_SIZE = 50
BY_RANK = (
    Case(
        When(user=F("organization__primary_owner"), then=Value(0)),
        When(base_role="owner", then=Value(1)),
        When(base_role="admin", then=Value(2)),
        default=Value(3),
    ),
    "user__name",
    "pk",
)


@dataclass(frozen=True, slots=True)
class SeatCount:
    """Seats of one tier."""

    tier: str
    label: str
    bought: int
    assigned: int

    @property
    def free(self) -> int:
        """How many can still be assigned."""
        return self.bought - self.assigned


def seat_counts(organization: Organization) -> list[SeatCount]:
    """Bought and assigned seats by tier; tiers of which none was bought are left out."""
    held = dict(
        organization.memberships.active()
        .exclude(seat_tier=None)
        .values_list("seat_tier")
        .annotate(Count("pk"))
    )
    rows = SeatTier.objects.filter(organization=organization).order_by("-tier")
    return [
        SeatCount(row.tier, row.get_tier_display(), row.bought, held.get(row.tier, 0))
        for row in rows
        if row.bought or held.get(row.tier)
    ]


def members(
    organization: Organization,
    *,
    search: str = "",
    status: str = "active",
    page: str | None = None,
) -> Page[Membership]:
    """A page of members by name; `search` looks into name and e-mail."""
    memberships = (
        organization.memberships.filter(status=status)
        .select_related("user", "organization")
        .order_by(*BY_RANK)
    )
    for word in search.split():
        memberships = memberships.filter(
            Q(user__name__icontains=word)
            | Q(user__email__icontains=canonical_address(word))
        )
    return Paginator(memberships, PAGE_SIZE).get_page(page)  # type: ignore[return-value]


INVITATIONS_SIZE = 20


def invitations(
    organization: Organization, *, page: str | None = None
) -> Page[Invitation]:
    """A page of invitations nobody accepted or withdrew, those that expired among them,
    newest first.
    """
    waiting = organization.invitations.filter(
        accepted_at__isnull=True, revoked_at__isnull=True
    )
    waiting = waiting.select_related("invited_by").order_by("-created_at", "-pk")
    return Paginator(waiting, INVITATIONS_SIZE).get_page(page)


def api_keys(
    organization: Organization, *, now: dt.datetime, page: str | None = None
) -> Page[ApiKey]:
    """A page of all keys, those in use first; `maker_is_here` where a person made it who
    still belongs to the organization and whose account is on.
    """
    makers = Membership.objects.enabled().filter(
        organization=organization, user=OuterRef("created_by")
    )
    over = Q(revoked_at__isnull=False) | Q(expires_at__lte=now)
    keys = (
        organization.api_keys.shared()
        .select_related("created_by")
        .annotate(
            maker_is_here=Exists(makers),
            is_over=Case(When(over, then=Value(1)), default=Value(0)),
        )
        .order_by("is_over", "-created_at", "-pk")
    )
    return Paginator(keys, PAGE_SIZE).get_page(page)  # type: ignore[return-value]


def tokens_of_members(
    organization: Organization, *, now: dt.datetime, page: str | None = None
) -> Page[ApiKey]:
    """A page of the personal tokens that are good (X3), the newest first, with whose they
    are.
    """
    tokens = organization.api_keys.personal().live(now).order_by("-created_at", "-pk")
    return Paginator(tokens.select_related("membership__user"), PAGE_SIZE).get_page(
        page
    )  # type: ignore[return-value]


def own_tokens(person: User, *, now: dt.datetime) -> list[ApiKey]:
    """A person's tokens that are good, the newest first, with their organizations."""
    tokens = ApiKey.objects.live(now).filter(membership__user=person)
    return list(tokens.select_related("organization").order_by("-created_at", "-pk"))


def keys_made_by(member: Membership, *, now: dt.datetime) -> list[ApiKey]:
    """The keys of their organization that somebody made and that are still good, by name."""
    keys = member.organization.api_keys.shared().live(now)
    made = keys.filter(created_by_id=member.user_id)
    return list(made.order_by("name", "pk"))


def audit_entries(
    organization: Organization,
    *,
    action: str = "",
    search: str = "",
) -> QuerySet[AuditEntry]:
    """The audit, newest first, filtered by how the action begins and by words in person
    or subject; with who did it.
    """
    entries: QuerySet[AuditEntry, Any] = organization.audit_entries.select_related(
        "actor"
    ).order_by("-at", "-pk")
    if action:
        entries = entries.filter(action__startswith=action)
    for word in search.split():
        entries = entries.filter(
            Q(subject__icontains=word)
            | Q(actor__name__icontains=word)
            | Q(actor__email__icontains=word)
            | Q(actor_label__icontains=word)
        )
    return entries


def is_required_of(membership: Membership) -> bool:
    """Whether the organization requires two-factor sign-in of this member; needs
    `organization` loaded.
    """
    of_whom = membership.organization.two_factor
    if of_whom == TwoFactor.ADMINS:
        return membership.is_at_least(Role.ADMIN)
    return of_whom == TwoFactor.EVERYBODY


def has_second_factor(user: User) -> bool:
    """Whether somebody set up two-factor sign-in."""
    totp = Authenticator.Type.TOTP
    return Authenticator.objects.filter(user=user, type=totp).exists()


def without_second_factor(organization: Organization) -> QuerySet[Membership]:
    """Who can act and has not set up two-factor sign-in, owners and admins first, by
    name; with their users.
    """
    holders = Authenticator.objects.filter(
        user=OuterRef("user"), type=Authenticator.Type.TOTP
    )
    return (
        Membership.objects.enabled()
        .filter(~Exists(holders), organization=organization)
        .select_related("user", "organization")
        .order_by(*BY_RANK)
    )


def is_membership_id(ref: str) -> bool:
    """Whether a member reference is an id rather than an e-mail address."""
    return is_row_id(ref)


@dataclass(frozen=True, slots=True)
class UnknownPolicy:
    """What an organization does about somebody unknown (X2); `nobody_id` is the
    membership of its unattributed line, None until there is one.
    """

    choice: str
    own_domains: frozenset[str]
    nobody_id: int | None

    def adds(self, address: str) -> bool:
        """Whether whoever has this canonical address may be made a member; what another
        system calls somebody, or what is no address at all, makes nobody one.
        """
        mailbox, _at, domain = address.rpartition("@")
        is_address = bool(mailbox) and not is_external_name(address)
        is_own = is_address and domain in self.own_domains
        return self.choice != UnknownPeople.REFUSE and is_own


def unknown_policy(organization_id: int) -> UnknownPolicy:
    """The policy of an organization, in one statement that a pipeline can hold."""
    rows = run(
        "SELECT o.unknown_people, o.own_domains, m.id FROM accounts_organization o"
        " LEFT JOIN accounts_membership m ON m.organization_id = o.id"
        " AND m.status = 'nobody' WHERE o.id = %s",
        [organization_id],
    ).rows()
    choice, domains, nobody_id = rows[0]
    return UnknownPolicy(choice, frozenset(domains.split()), nobody_id)


def removed_member(organization: Organization, *, email: str) -> Membership | None:
    """Somebody who was removed and has this address."""
    removed = Membership.Status.REMOVED
    return organization.memberships.filter(status=removed, user__email=email).first()


def former_holders(organization_id: int, emails: Collection[str]) -> dict[str, int]:
    """The membership ids of the last who had each of these canonical addresses before,
    of those in the organization (E6a). For addresses that nobody there has now.
    """
    forms = {form: email for one in emails for form, email in kept_forms(one).items()}
    rows = (
        Membership.objects.filter(
            organization_id=organization_id, user__former_addresses__email__in=forms
        )
        .order_by("user__former_addresses__until_at", "user__former_addresses__pk")
        .values_list("user__former_addresses__email", "pk")
    )
    return {forms[form]: membership_id for form, membership_id in rows}


def external_holders(organization_id: int, names: Collection[str]) -> dict[str, int]:
    """The membership ids of those who have these external ids (X2)."""
    rows = ExternalId.objects.filter(
        organization_id=organization_id, name__in=names
    ).values_list("name", "membership_id")
    return dict(rows)


def member_by_ref(organization: Organization, ref: str) -> Membership:
    """The membership, removed or not, with this e-mail address, now or before, id or
    external id.

    Raises BusinessError 404.
    """
    memberships = Membership.objects.select_related("user", "organization").filter(
        organization=organization
    )
    if is_membership_id(ref):
        member = memberships.filter(pk=int(ref)).first()
    elif is_external_name(ref):
        member = memberships.filter(external_ids__name=ref.replace("\0", "")).first()
    else:
        email = canonical_address(ref.replace("\0", ""))
        member = memberships.filter(user__email=email).first()
        if member is None:
            former = former_holders(organization.pk, [email])
            member = memberships.filter(pk__in=former.values()).first()
    if member is None:
        raise BusinessError(
            _("No member “%(member)s” in this organization.") % {"member": ref},
            code="member_not_found",
            status=404,
        )
    return member


def own_security_events(person: User, *, page: str | None) -> Page[SecurityEvent]:
    """A page of what happened to a person's account, newest first."""
    events = SecurityEvent.objects.filter(person=person).order_by("-at", "-pk")
    return Paginator(events, PAGE_SIZE).get_page(page)  # type: ignore[return-value]
