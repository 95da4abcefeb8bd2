"""The demo's three organizations: Acme (seat-based Enterprise), Bolt (Team) and Cirrus
(usage-based Enterprise).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from functools import lru_cache

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F

from accounts.actions.audit import Actor
from accounts.actions.organizations import create_organization
from accounts.models import (
    Membership,
    Organization,
    OutgoingMail,
    Plan,
    Role,
    SeatTier,
    Tier,
    User,
)
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.caps.actions.switch import set_extra_usage
from billing.documents.actions.details import set_billing_details
from billing.documents.actions.settling import mark_paid
from billing.documents.closing import close_due
from billing.documents.queries.months import grace
from billing.documents.rules import closes_at
from billing.ledger.actions import roll_up_days
from billing.metering.actions.recording import Recorded
from billing.models import Invoice
from billing.payments import cards, processing
from billing.payments.actions.cards import save_customer
from billing.payments.actions.reload_settings import set_auto_reload
from config.demo.people import ACME_PEOPLE, BOLT_PEOPLE, CIRRUS_PEOPLE, Person, people
from config.demo.usage import (
    Happening,
    Simulation,
    Worker,
    use_everything_up,
    workers_of,
)
from config.kit.money import usd
from config.kit.months import next_month, previous_month
from requests_inbox.actions.asking import send_request

PASSWORD = "demo-password"
OPERATOR = "operator@example.com"
SEATS: dict[str, dict[str, int]] = {
    "acme": {Tier.STANDARD: 34, Tier.PREMIUM: 9},
    "bolt": {Tier.STANDARD: 10, Tier.PREMIUM: 3},
    "cirrus": {Tier.STANDARD: 10},
}

# Own caps at Acme in USD a month, and whether for this month only.
OWN_CAPS = {
    "priya.raghunathan": (400, False),
    "tomas.echeverria": (250, True),
    "ravi.menon": (120, False),
    "amara.diallo": (60, False),
    "sofia.marino": (30, False),
    "omar.farouk": (20, False),
}


# Who asks for more at Acme, how many hours ago, with which note and amount in USD a month.
REQUESTS = [
    ("sofia.marino", 52, "", None),
    ("lukas.brandt", 22, "Incident review for the payments team until Friday.", 90),
    ("wei.chen", 3, "Finishing the billing migration before Thursday.", 60),
]


def make_demo(*, now: dt.datetime) -> list[str]:
    """Make what is missing of the demo; the slugs of the organizations made now.

    Each is made whole or not at all.
    """
    _user(OPERATOR, "Olga Operator", is_staff=True, is_superuser=True)
    made = []
    for slug, make in (
        ("acme", make_acme),
        ("bolt", make_bolt),
        ("cirrus", make_cirrus),
    ):
        if not Organization.objects.filter(slug=slug).exists():
            with transaction.atomic():
                make(now=now)
            made.append(slug)
    return made


def months_before(now: dt.datetime, count: int) -> dt.date:
    """The first day of the month `count` months before that of `now`."""
    first_on = now.date().replace(day=1)
    for _month in range(count):
        first_on = previous_month(first_on)
    return first_on


def make_acme(*, now: dt.datetime) -> Organization:
    """40 people in New York; extra usage on, caps at all three levels, some people
    paused, four months behind them.
    """
    acme, members = _organization(
        "Acme",
        "acme",
        plan=Plan.ENTERPRISE_SEAT,
        timezone="America/New_York",
        owner="Alice Nakamura",
        admin="Ada Okafor",
        member="Bob Feld",
        others=people(ACME_PEOPLE),
        premium=8,
        now=now,
    )
    alice = Actor.person(acme.primary_owner)
    start = dt.datetime.combine(months_before(now, 4), dt.time(9), dt.UTC)
    set_extra_usage(acme, enabled=True, scope="everyone", actor=alice, now=start)
    set_organization_cap(acme, amount_nanos=usd(1_600), actor=alice, now=start)
    set_seat_tier_cap(
        acme, tier=Tier.STANDARD, amount_nanos=usd(40), actor=alice, now=start
    )
    set_seat_tier_cap(
        acme, tier=Tier.PREMIUM, amount_nanos=usd(150), actor=alice, now=start
    )
    by_name = {one.user.email.partition("@")[0]: one for one in members}
    for name, (amount, month_only) in OWN_CAPS.items():
        at = now if month_only else start
        set_member_cap(
            acme,
            membership=by_name[name],
            amount_nanos=usd(amount),
            this_month_only=month_only,
            actor=alice,
            now=at,
        )
    pick = random.Random("acme")
    bob = by_name["member"]
    workers = [
        *workers_of([one for one in members if one != bob], pick=pick),
        Worker(bob.pk, pace=0.4, size=1.2),
    ]
    month = acme.calendar.month_at(now)
    set_billing_details(
        acme,
        billing_email=acme.billing_email,
        legal_name="Acme Tools, Inc.",
        address="1200 Canal Street\nNew York, NY 10013",
        tax_id="EIN 12-3456789",
        reference="PO 4711",
        actor=alice,
        now=start,
    )
    asking = [
        (
            max(month.start, now - dt.timedelta(hours=hours)),
            _asking(by_name[name], note, amount),
        )
        for name, hours, note, amount in REQUESTS
    ]
    closing = _closing(
        acme, since=start.date(), now=now, paid_after=dt.timedelta(days=12)
    )
    Simulation(acme, workers, pick=pick).run(
        first_on=start.date(), until=now, happenings=[*asking, *closing]
    )
    use_everything_up(bob, now=now)
    _told_then(acme)
    return acme


def _closing(
    organization: Organization,
    *,
    since: dt.date,
    now: dt.datetime,
    paid_after: dt.timedelta | None = None,
) -> list[Happening]:
    """The closes of the months that are over by `now`, and their invoices paid some
    days later, as far as that is past.
    """
    found, month = list[Happening](), organization.calendar.month(since.replace(day=1))
    while (due := closes_at(month, grace=grace())) <= now:
        found.append((due, lambda at: _close(organization, at)))
        if paid_after and due + paid_after <= now:
            found.append((due + paid_after, lambda at: _pay(organization, at)))
        month = organization.calendar.month(next_month(month.first_on))
    return found


def _close(organization: Organization, at: dt.datetime) -> None:
    close_due(organization.pk, now=at)


def _pay(organization: Organization, at: dt.datetime) -> None:
    for invoice in Invoice.objects.filter(
        organization=organization, status=Invoice.Status.OPEN
    ):
        mark_paid(
            invoice,
            note="Bank transfer",
            operator=User.objects.get(email=OPERATOR),
            now=at,
        )


def _told_then(organization: Organization) -> None:
    """What the mails of those months told was told then; a demo that starts today sends
    none of it.
    """
    OutgoingMail.objects.filter(organization=organization, kind__startswith="b").update(
        sent_at=F("created_at")
    )


def _asking(
    member: Membership, note: str, amount: int | None
) -> Callable[[dt.datetime], None]:
    """Somebody runs into a limit and asks for more."""

    def happen(at: dt.datetime) -> None:
        use_everything_up(member, now=at)
        send_request(
            member,
            note=note,
            asked_nanos=None if amount is None else usd(amount),
            now=at,
        )

    return happen


def make_bolt(*, now: dt.datetime) -> Organization:
    """A Team of 12 in Los Angeles that prepays: a balance bought last month,
    auto-reload on, an organization cap.
    """
    bolt, members = _organization(
        "Bolt",
        "bolt",
        plan=Plan.TEAM,
        timezone="America/Los_Angeles",
        owner="Beatriz Solano",
        admin=None,
        member="Miles Grant",
        others=people(BOLT_PEOPLE),
        premium=3,
        now=now,
    )
    start = dt.datetime.combine(months_before(now, 1), dt.time(18), dt.UTC)
    owner = bolt.primary_owner
    save_customer(bolt, customer_id=f"customer-{bolt.slug}")
    cards.keep_card(
        bolt, session_id="card_succeeds_4242", actor=Actor.person(owner), now=start
    )
    processing.purchase(bolt, amount_nanos=usd(100), buyer=owner, now=start)
    set_auto_reload(
        bolt,
        enabled=True,
        threshold_nanos=usd(25),
        amount_nanos=usd(100),
        limit_nanos=None,
        actor=Actor.person(owner),
        now=start,
    )
    set_organization_cap(
        bolt, amount_nanos=usd(1_200), actor=Actor.person(owner), now=start
    )
    set_extra_usage(
        bolt, enabled=True, scope="everyone", actor=Actor.person(owner), now=start
    )
    pick, days = random.Random("bolt"), set[dt.date]()

    def tend(recorded: Recorded, at: dt.datetime) -> None:
        """What the jobs do: reload when a charge crossed the threshold, roll up the
        days that are over.
        """
        if recorded.balance_crossed:
            processing.reload_if_due(bolt.pk, now=at)
        if at.date() not in days:
            days.add(at.date())
            roll_up_days(bolt.pk, now=at)

    Simulation(bolt, workers_of(members, pick=pick), pick=pick, after_hour=tend).run(
        first_on=start.date() + dt.timedelta(days=1),
        until=now,
        happenings=_closing(bolt, since=start.date(), now=now),
    )
    _told_then(bolt)
    return bolt


def make_cirrus(*, now: dt.datetime) -> Organization:
    """A usage-based Enterprise of 8 in Tokyo: every token is billed, under an
    organization cap.
    """
    cirrus, members = _organization(
        "Cirrus",
        "cirrus",
        plan=Plan.ENTERPRISE_USAGE,
        timezone="Asia/Tokyo",
        owner="高橋 千尋",
        admin=None,
        member="中村 翔",
        others=people(CIRRUS_PEOPLE),
        premium=0,
        now=now,
    )
    start = dt.datetime.combine(months_before(now, 1), dt.time(), dt.UTC)
    set_organization_cap(
        cirrus,
        amount_nanos=usd(1_000),
        actor=Actor.person(cirrus.primary_owner),
        now=start,
    )
    pick = random.Random("cirrus")
    closing = _closing(cirrus, since=start.date(), now=now)
    Simulation(cirrus, workers_of(members, pick=pick), pick=pick).run(
        first_on=start.date(), until=now, happenings=closing
    )
    _told_then(cirrus)
    return cirrus


def _organization(
    name: str,
    slug: str,
    *,
    plan: Plan,
    timezone: str,
    owner: str,
    admin: str | None,
    member: str,
    others: list[Person],
    premium: int,
    now: dt.datetime,
) -> tuple[Organization, list[Membership]]:
    """The organization and its memberships, in a fixed order: owner, admin if any,
    member, then the others.
    """
    joined = dt.datetime.combine(months_before(now, 5), dt.time(9), dt.UTC)
    language = "ja" if timezone == "Asia/Tokyo" else "en"
    organization = create_organization(
        name,
        slug=slug,
        plan=plan,
        timezone=timezone,
        billing_email=f"billing@{slug}.example",
        now=joined,
        primary_owner=_user(f"owner@{slug}.example", owner, language=language),
        seats=SEATS[slug],
        owner_seat=Tier.PREMIUM if premium else Tier.STANDARD,
    )
    named = [(f"admin@{slug}.example", admin, Role.ADMIN)] if admin else []
    named.append((f"member@{slug}.example", member, Role.MEMBER))
    named += [
        (f"{one.local_part}@{slug}.example", one.name, Role.MEMBER) for one in others
    ]
    for index, (email, person, role) in enumerate(named):
        # The first of the others sit on premium seats; whoever the demo names signs in
        # on a standard one.
        tier = (
            Tier.PREMIUM
            if len(named) - len(others)
            <= index
            < len(named) - len(others) + premium - 1
            else Tier.STANDARD
        )
        Membership.objects.create(
            organization=organization,
            user=_user(email, str(person), language=language),
            base_role=role,
            seat_tier=tier,
            joined_at=joined,
        )
    assert all(
        organization.memberships.on_seat(row.tier).count() <= row.bought
        for row in SeatTier.objects.filter(organization=organization)
    )
    return organization, list(
        organization.memberships.select_related("user", "organization").order_by("pk")
    )


@lru_cache(maxsize=1)
def _password_hash() -> str:
    """One slow hash for everybody, since everybody has the same password."""
    return make_password(PASSWORD)


def _user(email: str, name: str, **extra: object) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create(
            email=email, name=name, password=_password_hash(), **extra
        )
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
