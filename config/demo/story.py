"""The demo's three organizations: Acme (seat-based Enterprise), Bolt (Team) and Cirrus
(usage-based Enterprise).
"""

from __future__ import annotations

import datetime as dt
import random

from django.db import transaction
from django.db.models import F

from accounts.actions.audit import Actor
from accounts.models import (
    Membership,
    Organization,
    OutgoingMail,
    Plan,
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
from billing.notices.actions.soft_limits import add_soft_limit
from billing.payments import cards, processing
from billing.payments.actions.cards import save_customer
from billing.payments.actions.reload_settings import set_auto_reload
from config.demo.asking import requests_answered, requests_that_wait
from config.demo.founding import (
    OPERATOR,
    find_or_make_user,
    make_organization,
    months_before,
)
from config.demo.notices import tell_then
from config.demo.people import ACME_PEOPLE, BOLT_PEOPLE, CIRRUS_PEOPLE, people
from config.demo.usage import (
    Happening,
    Simulation,
    Worker,
    use_everything_up,
    workers_of,
)
from config.kit.money import usd
from config.kit.months import next_month

# Own caps at Acme in USD a month, and whether for this month only.
OWN_CAPS = {
    "priya.raghunathan": (400, False),
    "tomas.echeverria": (250, True),
    "ravi.menon": (120, False),
    "amara.diallo": (60, False),
    "sofia.marino": (30, False),
    "omar.farouk": (20, False),
}


# What Acme's owner wants to hear of, in USD a month; it stops nothing.
SOFT_LIMITS = [("organization", None, 1_000), ("seat_tier", Tier.PREMIUM, 100)]


@transaction.atomic
def make_demo(*, now: dt.datetime) -> list[str]:
    """Make what is missing of the demo, whole or not at all; the slugs of the
    organizations made now.
    """
    find_or_make_user(OPERATOR, "Olga Operator", is_staff=True, is_superuser=True)
    new_slugs = []
    for slug, make in (
        ("acme", make_acme),
        ("bolt", make_bolt),
        ("cirrus", make_cirrus),
    ):
        if not Organization.objects.filter(slug=slug).exists():
            make(now=now)
            new_slugs.append(slug)
    return new_slugs


def make_acme(*, now: dt.datetime) -> Organization:
    """40 people in New York; extra usage on, caps at all three levels, some people
    paused, four months behind them.
    """
    acme, members = make_organization(
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
    by_name = {member.user.email.partition("@")[0]: member for member in members}
    _set_acme_caps(acme, by_name, actor=alice, start=start, now=now)
    pick = random.Random("acme")
    bob = by_name["member"]
    workers = [
        *workers_of([member for member in members if member != bob], pick=pick),
        Worker(bob.pk, pace=0.4, size=1.2),
    ]
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
        *requests_answered(acme, by_name, since=start, now=now),
        *requests_that_wait(acme, by_name, now=now),
    ]
    closing = _closing(
        acme, since=start.date(), now=now, paid_after=dt.timedelta(days=12)
    )
    Simulation(acme, workers, pick=pick).run(
        first_on=start.date(), until=now, happenings=[*asking, *closing]
    )
    use_everything_up(bob, now=now)
    _told_then(acme, now=now)
    return acme


def _set_acme_caps(
    acme: Organization,
    by_name: dict[str, Membership],
    *,
    actor: Actor,
    start: dt.datetime,
    now: dt.datetime,
) -> None:
    """Caps at all three levels since `start`; those for this month only since now."""
    set_organization_cap(acme, amount_nanos=usd(1_600), actor=actor, now=start)
    for tier, amount in ((Tier.STANDARD, 40), (Tier.PREMIUM, 150)):
        set_seat_tier_cap(
            acme, tier=tier, amount_nanos=usd(amount), actor=actor, now=start
        )
    for name, (amount, month_only) in OWN_CAPS.items():
        set_member_cap(
            acme,
            membership=by_name[name],
            amount_nanos=usd(amount),
            this_month_only=month_only,
            actor=actor,
            now=now if month_only else start,
        )
    for level, seat, amount in SOFT_LIMITS:
        add_soft_limit(
            acme,
            level=level,
            seat_tier=seat,
            amount_nanos=usd(amount),
            actor=actor,
            now=start,
        )


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
    happenings, month = (
        list[Happening](),
        organization.calendar.month(since.replace(day=1)),
    )
    while (due := closes_at(month, grace=grace())) <= now:
        happenings.append((due, lambda at: _close(organization, at)))
        if paid_after and due + paid_after <= now:
            happenings.append((due + paid_after, lambda at: _pay(organization, at)))
        month = organization.calendar.month(next_month(month.first_on))
    return happenings


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


def _told_then(organization: Organization, *, now: dt.datetime) -> None:
    """What the notices and mails of those months told was told then; a demo that starts
    today sends none of it.
    """
    tell_then(organization, now=now)
    OutgoingMail.objects.filter(organization=organization, kind__startswith="b").update(
        sent_at=F("created_at")
    )


def make_bolt(*, now: dt.datetime) -> Organization:
    """A Team of 12 in Los Angeles that prepays: a balance bought last month,
    auto-reload on, an organization cap.
    """
    bolt, members = make_organization(
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
    _buy_balance(bolt, start=start)
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
    _told_then(bolt, now=now)
    return bolt


def _buy_balance(bolt: Organization, *, start: dt.datetime) -> None:
    """What the owner did first: a card, a balance, auto-reload, a cap, and extra usage."""
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


def make_cirrus(*, now: dt.datetime) -> Organization:
    """A usage-based Enterprise of 8 in Tokyo: every token is billed, under an
    organization cap.
    """
    cirrus, members = make_organization(
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
    _told_then(cirrus, now=now)
    return cirrus
