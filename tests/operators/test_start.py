"""The operators' start page: what needs somebody, customers, what changed, one search."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actions.jobs import job_succeeded
from accounts.models import OutgoingMail, User
from accounts.operators import needs as all_needs
from accounts.operators.needs import needs_for, register_needs
from config.schedule import SCHEDULE
from tests.customer.conftest import signed_in
from tests.factories.people import (
    make_api_key,
    make_organization,
    make_user,
)

ROLES = ("Support", "Finance", "Administrators")


@pytest.fixture
def jobs_ran(now):
    """Every job succeeded just now, and the books are right."""
    for name in SCHEDULE:
        job_succeeded(name, took_ms=5, result=0, now=now)


def sentences(role: str, now: dt.datetime) -> list[str]:
    """What the start page tells an operator of this role."""
    signed_in(role)
    operator = User.objects.get(email=f"{role.lower()}@operators.example")
    return [row.need.sentence for row in needs_for(operator, now=now)]


def given_up_mail(acme, now) -> None:
    """A mail that the server never took."""
    OutgoingMail.objects.create(
        organization=acme,
        address="somebody@acme.example",
        kind="x",
        key="k",
        message_id="m",
        created_at=now,
        next_try_at=now,
        expires_at=now + dt.timedelta(days=1),
        dropped_at=now,
        attempts=9,
        last_error="SMTPConnectError",
    )


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_the_start_page_and_reads_its_customers(role, acme):
    page = signed_in(role).get(reverse("admin:index"))
    assert page.status_code == 200
    assert acme.name in page.content.decode()


def test_an_operator_without_a_group_is_told_nothing_of_customers(acme, client):
    client.force_login(make_user("new@operators.example", "New", is_staff=True))
    page = client.get(reverse("admin:index"))
    assert page.status_code == 200
    assert acme.name not in page.content.decode()


def test_nothing_needs_anybody_when_all_is_well(acme, jobs_ran, now):
    assert sentences("Support", now) == []


def test_late_jobs_are_one_row_with_their_names(acme, jobs_ran, now):
    later = now + dt.timedelta(minutes=20)
    [sentence] = sentences("Support", later)
    assert "late" in sentence
    job_succeeded("send-due-mails", took_ms=5, result=0, now=later)
    operator = User.objects.get(email="support@operators.example")
    [row] = needs_for(operator, now=later)
    assert "Daily digests" in row.need.facts
    assert "Mails" not in row.need.facts


def test_books_that_differ_come_first(acme, jobs_ran, now):
    given_up_mail(acme, now)
    job_succeeded("audit-books", took_ms=5, result=3, now=now)
    first, second = sentences("Support", now)
    assert first == "The books differ from their events in 3 places"
    assert "given up" in second


def test_a_part_that_cannot_be_counted_says_so_and_leaves_the_rest(
    acme, jobs_ran, now, monkeypatch
):
    def broken(now):
        raise RuntimeError("no such thing")

    monkeypatch.setattr(all_needs, "_KINDS", dict(all_needs._KINDS))
    register_needs(
        "broken", broken, label="Moons", permission="accounts.view_organization"
    )
    given_up_mail(acme, now)
    told = sentences("Support", now)
    assert "Moons could not be counted" in told
    assert len(told) == 2


def test_one_search_finds_customers_people_and_keys_but_never_a_secret(acme, bob, now):
    secret = make_api_key(acme, now=now)
    browser = signed_in("Administrators")
    address = reverse("admin:search")
    for text, found in (
        (acme.slug, acme.name),
        (acme.name, acme.name),
        ("bob@acme.example", "bob@acme.example"),
        (secret[:12], acme.name),
    ):
        page = browser.get(address, {"q": text}).content.decode()
        assert found in page, text
    assert secret not in browser.get(address, {"q": secret[:12]}).content.decode()


@pytest.mark.parametrize(
    "text", ["", " ", "%", "\x00", "x" * 5_000, "'; --", "9" * 40, "１２"]
)
def test_any_text_can_be_searched_for(text, acme):
    page = signed_in("Support").get(reverse("admin:search"), {"q": text})
    assert page.status_code == 200


def test_the_start_page_asks_as_much_for_thirty_customers_as_for_three(acme, now):
    browser = signed_in("Administrators")

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(reverse("admin:index")).status_code == 200
        return len(seen)

    for number in range(3):
        _customer(number, now)
    queries()
    few = queries()
    for number in range(3, 30):
        _customer(number, now)
    assert queries() == few


def _customer(number: int, now: dt.datetime) -> None:
    owner = make_user(f"owner@customer-{number}.example", f"Owner {number}")
    make_organization(f"customer-{number}", owner=owner, now=now)
