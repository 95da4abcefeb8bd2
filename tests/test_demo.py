"""The demo: made once, the same every time, with clean books, and with somebody blocked
whenever it is made.
"""

from __future__ import annotations

import datetime as dt
import re
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from accounts.models import (
    AuditEntry,
    Membership,
    Organization,
    OutgoingMail,
    Role,
    Tier,
    User,
)
from billing.books import differences
from billing.funding.queries import standing_of, standings_for
from billing.funding.rules.decision import decide, extra_usage_refusal
from billing.funding.rules.standing import Reason
from billing.models import Invoice, Notice, Statement, UsageEvent
from billing.notices.queries.bell import on_page
from config.demo import story, usage
from config.demo.founding import PASSWORD
from config.demo.story import make_acme, make_demo
from requests_inbox.queries import pending_of
from tests.conftest import NOW

ACCOUNTS = [
    "owner@acme.example",
    "admin@acme.example",
    "member@acme.example",
    "owner@bolt.example",
    "member@bolt.example",
    "owner@cirrus.example",
    "member@cirrus.example",
    "operator@example.com",
]


@pytest.fixture
def _shorter(monkeypatch):
    """Acme with no months behind it: the blocked member is what counts, and that is
    made in the current month.
    """
    monkeypatch.setattr(
        story, "months_before", lambda now, count: now.date().replace(day=1)
    )


def digest() -> list[tuple[object, ...]]:
    """Everything the demo wrote, but the ids of rows."""
    events = UsageEvent.objects.order_by("organization__slug", "event_id")
    return [
        *events.values_list(
            "event_id",
            "membership__user__email",
            "occurred_at",
            "model",
            "cost_nanos",
            "funding",
        ),
        *AuditEntry.objects.order_by(
            "organization__slug", "at", "action", "pk"
        ).values_list("action", "at"),
        *Membership.objects.order_by("user__email").values_list(
            "user__email", "seat_tier"
        ),
    ]


@pytest.fixture
def _one_month_on_postgresql(monkeypatch):
    """Its rows are counted up in one transaction, where PostgreSQL can't clean up
    behind itself: five months take a minute.
    """
    if connection.vendor == "postgresql":
        whole = story.months_before
        monkeypatch.setattr(
            story, "months_before", lambda now, count: whole(now, min(count, 1))
        )


@pytest.mark.django_db
def test_the_demo_is_whole_and_making_it_again_changes_nothing(
    _one_month_on_postgresql, client, django_assert_max_num_queries
):
    assert make_demo(now=NOW) == ["acme", "bolt", "cirrus"]
    first = digest()
    with django_assert_max_num_queries(10):
        assert make_demo(now=NOW + dt.timedelta(days=3)) == []
    assert digest() == first
    assert list(differences()) == []
    _accounts_sign_in(client)
    _everybody_was_told_then()
    if connection.vendor == "sqlite":
        _acme_is_as_promised()


def _accounts_sign_in(client) -> None:
    for email in ACCOUNTS:
        assert client.login(username=email, password=PASSWORD) or client.login(
            email=email, password=PASSWORD
        ), email
    assert User.objects.get(email="operator@example.com").is_superuser


def _everybody_was_told_then() -> None:
    """The bell has what happened; nobody is mailed now about what is long past."""
    assert not Notice.objects.untold().exists()
    mails = OutgoingMail.objects.filter(kind="notice")
    assert mails.exists() and not mails.filter(sent_at=None).exists()
    owner = Membership.objects.get(user__email="owner@acme.example")
    kinds = {told.notice.kind for told in on_page(owner).select_related("notice")}
    assert {"organization_cap", "soft_limit"} <= kinds


def _acme_is_as_promised() -> None:
    acme = Organization.objects.get(slug="acme")
    members = Membership.objects.filter(organization=acme)
    assert (
        members.count(),
        Membership.objects.filter(organization__slug="bolt").count(),
    ) == (40, 12)
    assert members.filter(base_role=Role.ADMIN).exists()
    assert set(members.values_list("seat_tier", flat=True)) == {
        Tier.STANDARD,
        Tier.PREMIUM,
    }
    numbers = (
        Invoice.objects.filter(organization=acme)
        .order_by("sequence")
        .values_list("number", "status")
    )
    assert list(numbers) == [(f"ACME-000{n}", "paid") for n in (1, 2, 3, 4)]
    assert Statement.objects.filter(organization__slug="bolt").count() == 1
    months = UsageEvent.objects.filter(organization=acme, funding="extra_usage").values(
        "month_on"
    )
    assert [row["spent"] > 0 for row in months.annotate(spent=Sum("cost_nanos"))] == [
        True
    ] * 5
    standings = standings_for(
        acme.pk, list(members.values_list("pk", flat=True)), now=NOW
    )
    paused = {extra_usage_refusal(one) for one in standings.values()} - {None}
    assert paused == {Reason.SEAT_TIER_CAP_REACHED, Reason.MEMBER_CAP_REACHED}
    organization = standings[members[0].pk].organization
    assert organization.cap.amount_nanos - organization.spent_nanos > 100 * 10**9, (
        "a replay of $84 still fits"
    )
    waiting = pending_of(acme.pk, now=NOW).waiting
    assert [one.request.membership.user.name for one in waiting] == [
        "Sofia Marino",
        "Lukas Brandt",
        "Wei Chen",
    ]
    allowed = [decide(one).allowed for one in standings.values()]
    assert allowed.count(True) > 20


@pytest.mark.django_db
@pytest.mark.parametrize(
    "moment",
    [
        dt.datetime(2026, 12, 1, 5, 5, tzinfo=dt.UTC),  # 00:05 on the 1st in New York
        # already December in UTC, the evening of 30 November there
        dt.datetime(2026, 12, 1, 0, 30, tzinfo=dt.UTC),
        dt.datetime(2027, 3, 14, 7, 30, tzinfo=dt.UTC),  # the night clocks go forward
        dt.datetime(2026, 8, 31, 18, 0, tzinfo=dt.UTC),
    ],
)
def test_the_member_is_blocked_by_the_seats_cap_whenever_the_demo_is_made(
    _shorter, moment
):
    acme = make_acme(now=moment)
    bob = Membership.objects.get(user__email="member@acme.example")
    for later in (dt.timedelta(), dt.timedelta(minutes=30)):
        standing = standing_of(bob.pk, organization_id=acme.pk, now=moment + later)
        decision = decide(standing)
        assert decision.reason is Reason.SEAT_TIER_CAP_REACHED
        assert not standing.has_included_left
        assert decision.resets_at > moment + later


@pytest.mark.django_db
def test_nothing_happens_after_the_moment_it_is_made(_shorter):
    make_acme(now=NOW)
    assert not UsageEvent.objects.filter(occurred_at__gt=NOW).exists()
    assert not AuditEntry.objects.filter(at__gt=NOW).exists()


@pytest.mark.django_db
def test_the_command_prints_how_to_sign_in(_shorter, monkeypatch, settings):
    monkeypatch.setattr(usage, "HOURS", range(9, 11))
    with time_machine.travel(NOW, tick=False):
        call_command("demo", stdout=(out := StringIO()))
        call_command("demo", stdout=(again := StringIO()))
    assert "Made acme, bolt, cirrus." in out.getvalue()
    assert "nothing changed" in again.getvalue()
    for email in ACCOUNTS:
        if email != "member@cirrus.example":
            assert re.search(rf"^  {email}\s+\S", out.getvalue(), re.MULTILINE), email
    assert f"{settings.SITE_URL}/ with password “{PASSWORD}”" in again.getvalue()
