"""Builders of prepaid organizations: cards of the test gateway, purchases, auto-reload."""

from __future__ import annotations

import datetime as dt

from django.test import Client

from accounts.actions.audit import Actor
from accounts.models import Organization, Plan
from billing.caps.actions.caps import set_organization_cap
from billing.caps.actions.switch import set_extra_usage
from billing.models import BillingAccount, Payment, SeatAllowance
from billing.payments import cards, processing
from billing.payments.actions.cards import save_customer
from billing.payments.actions.reload_settings import set_auto_reload
from billing.payments.views.leaving import STATES
from config.kit.money import usd
from tests.factories.people import MembershipFactory, make_organization, make_user

CARD = {
    "works": "card_succeeds_4242",
    "declines": "card_declines_0341",
    "action": "card_action_3155",
    "timeout_paid": "card_timeout_paid_5001",
    "timeout_lost": "card_timeout_lost_5002",
}


def make_bolt(
    *, now: dt.datetime, card: str | None = "works", **extra: object
) -> Organization:
    """Bolt in Los Angeles, prepaid, with Bea (primary owner), Mia and Max."""
    bea = make_user("bea@bolt.example", "Bea Solano")
    bolt = make_organization(
        "bolt",
        owner=bea,
        now=now,
        plan=Plan.TEAM,
        timezone="America/Los_Angeles",
        **extra,
    )
    for name in ("mia", "max"):
        MembershipFactory(
            organization=bolt, user=make_user(f"{name}@bolt.example", name.title())
        )
    if card:
        give_card(bolt, card, now=now)
    return bolt


def bea_of(bolt: Organization) -> Actor:
    """Bolt's owner."""
    return Actor.person(bolt.primary_owner)


def give_card(bolt: Organization, card: str, *, now: dt.datetime) -> None:
    """Put one of the test gateway's cards on file."""
    save_customer(bolt, customer_id=f"customer-{bolt.slug}")
    cards.keep_card(bolt, session_id=CARD[card], actor=bea_of(bolt), now=now)


def came_away(client: Client, organization: Organization) -> str:
    """What an address has to end with for whoever left for the form of a card."""
    session = client.session
    session[STATES] = [[f"card:{organization.pk}", "a-state"]]
    session.save()
    return "&state=a-state"


def buy(bolt: Organization, amount: str, *, now: dt.datetime) -> Payment:
    """Bea buys `amount` USD."""
    return processing.purchase(
        bolt, amount_nanos=usd(amount), buyer=bolt.primary_owner, now=now
    )


def turn_on(
    bolt: Organization,
    *,
    balance: str = "100",
    cap: str | None = "1000",
    reload: tuple[str, str] | None = None,
    limit: str | None = None,
    now: dt.datetime,
) -> None:
    """Balance bought, extra usage on for everyone; `reload` is threshold and amount."""
    assert buy(bolt, balance, now=now).status == Payment.Status.SUCCEEDED
    set_organization_cap(
        bolt,
        amount_nanos=None if cap is None else usd(cap),
        actor=bea_of(bolt),
        now=now,
    )
    set_extra_usage(bolt, enabled=True, scope="everyone", actor=bea_of(bolt), now=now)
    if reload:
        set_reload(bolt, *reload, limit=limit, now=now)


def set_reload(
    bolt: Organization,
    threshold: str,
    amount: str,
    *,
    limit: str | None = None,
    now: dt.datetime,
) -> None:
    """Auto-reload at `threshold`, of `amount`, at most `limit` a month."""
    set_auto_reload(
        bolt,
        enabled=True,
        threshold_nanos=usd(threshold),
        amount_nanos=usd(amount),
        limit_nanos=None if limit is None else usd(limit),
        actor=bea_of(bolt),
        now=now,
    )


def use_up_included(bolt: Organization) -> None:
    """Bolt's seats include nothing, so that all its usage is extra."""
    SeatAllowance.objects.filter(plan=bolt.plan).delete()


def balance(bolt: Organization) -> int:
    """What is left, in nano-USD."""
    return BillingAccount.objects.get(organization=bolt).balance_nanos
