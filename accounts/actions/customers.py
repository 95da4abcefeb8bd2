"""Making a customer (O1): name, plan and the owner's address are enough; the rest is
proposed. The owner gets a mail with a link.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.contracts import refuse_settlement
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import (
    SETTLEMENT_OF,
    create_organization,
    refuse_unknown_zone,
)
from accounts.models import Organization, Plan, Settlement, Tier, User
from config.kit.addresses import canonical_address, refuse_erased_form
from config.kit.errors import BusinessError
from config.kit.one_line import name_of

WELCOME = "customer_welcome"
WELCOME_WITHIN = dt.timedelta(days=3)
LONGEST_SLUG = 60
SEATS_PROPOSED = 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """A customer to be made; what is left empty is proposed."""

    name: str
    plan: str
    owner_email: str
    owner_name: str = ""
    slug: str = ""
    settlement: str = ""
    timezone: str = "UTC"
    billing_email: str = ""
    seats: dict[str, int] = field(default_factory=dict)
    language: str = "en"


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """What was made, and the ids of the mails."""

    organization: Organization
    owner: User
    is_new_person: bool
    mails: list[int]


def proposed_slug(name: str, *, email: str = "") -> str:
    """A slug nobody has: of the name, else of the address's domain, with a number where
    it is taken.
    """
    domain = canonical_address(email).rpartition("@")[2].partition(".")[0]
    plain = slugify(name) or slugify(domain) or "customer"
    plain = plain[: LONGEST_SLUG - 4].strip("-")
    taken = set(
        Organization.objects.filter(slug__startswith=plain).values_list(
            "slug", flat=True
        )
    )
    numbered = (f"{plain}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (plain, *numbered) if slug not in taken)


def completed(proposal: Proposal) -> Proposal:
    """With everything proposed that was left empty; reads, writes nothing.

    Raises BusinessError `unknown_plan`, `unknown_timezone`, `team_pays_before`,
    `slug_taken`, `address_reserved`, `switched_off`, `not_one_line`.
    """
    settlement = proposal.settlement or str(_settlement_of(proposal.plan))
    refuse_settlement(proposal.plan, settlement)
    email = canonical_address(proposal.owner_email)
    refuse_erased_form(email)
    _refuse_switched_off(email)
    zone = refuse_unknown_zone(proposal.timezone)
    seats = proposal.seats or (
        {}
        if proposal.plan == Plan.ENTERPRISE_USAGE
        else {Tier.STANDARD: SEATS_PROPOSED}
    )
    return Proposal(
        name=name_of(proposal.name, field="name"),
        plan=proposal.plan,
        owner_email=email,
        owner_name=name_of(proposal.owner_name, field="owner_name"),
        slug=_free_slug(proposal),
        settlement=settlement,
        timezone=zone,
        billing_email=proposal.billing_email or email,
        seats=seats,
        language=proposal.language,
    )


def _settlement_of(plan: str) -> str:
    return SETTLEMENT_OF[Plan(plan)] if plan in Plan.values else Settlement.PREPAID


def _refuse_switched_off(email: str) -> None:
    person = User.objects.filter(email=email).first()
    if person is not None and not person.is_active:
        raise BusinessError(
            _(
                "The account of %(email)s is switched off. Switch it on first, or name "
                "another owner."
            )
            % {"email": email},
            code="switched_off",
            field="owner_email",
        )


def _free_slug(proposal: Proposal) -> str:
    if not proposal.slug:
        return proposed_slug(proposal.name, email=proposal.owner_email)
    if Organization.objects.filter(slug=proposal.slug).exists():
        raise BusinessError(
            _("“%(slug)s” is taken; %(free)s is free.")
            % {"slug": proposal.slug, "free": proposed_slug(proposal.slug)},
            code="slug_taken",
            field="slug",
        )
    return proposal.slug


@transaction.atomic
def make_customer(proposal: Proposal, *, actor: Actor, now: dt.datetime) -> NewCustomer:
    """The organization, its primary owner on a seat of theirs, and the mail with which
    they come in: a new person chooses a password by its link.

    Raises what `completed` raises.
    """
    full = completed(proposal)
    owner = User.objects.filter(email=full.owner_email).first()
    is_new = owner is None
    if owner is None:
        owner = User.objects.create_user(
            full.owner_email, None, name=full.owner_name, language=full.language
        )
    organization = create_organization(
        full.name,
        slug=full.slug,
        plan=full.plan,
        primary_owner=owner,
        billing_email=full.billing_email,
        timezone=full.timezone,
        settlement=full.settlement,
        seats=full.seats,
        owner_seat=Tier.STANDARD if full.seats.get(Tier.STANDARD) else None,
        now=now,
    )
    record_change(
        organization,
        actor=actor,
        action="organization.create",
        subject=organization.name,
        now=now,
        to_value={"plan": full.plan, "settlement": full.settlement},
    )
    mails = [QueuedMail(owner, WELCOME, f"{WELCOME}:{organization.pk}")]
    queued = queue_mails(organization, mails, now=now, within=WELCOME_WITHIN)
    return NewCustomer(organization, owner, is_new, queued)
