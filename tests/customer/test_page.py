"""An operator's page of one customer: everything about it in one place, from counters."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from billing.metering.actions.recording import record_usage
from tests.customer.conftest import page_url, text_of
from tests.factories.people import MembershipFactory, UserFactory
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


def test_the_page_tells_the_whole_standing(administrator, acme, now):
    enable_extra_usage(acme)
    sent = event("bob@acme.example", at=now, usd="12.50", id="one")
    record_usage([sent], organization_id=acme.pk, now=now)
    page = text_of(administrator.get(page_url(acme)))
    for words in (
        "Enterprise, seat-based",
        "Postpaid",
        "nothing unpaid",
        "3 of 60",
        "November 2026",
        "Alice Nakamura · alice@acme.example",
        "America/New_York",
        "No request waits.",
        "See what the owner sees",
        "Steps",
    ):
        assert words in page, words


def test_every_list_leads_to_itself_of_this_customer_alone(administrator, acme):
    page = text_of(administrator.get(page_url(acme)))
    for table in (
        "accounts/membership",
        "accounts/apikey",
        "accounts/auditentry",
        "requests_inbox/usagerequest",
        "billing/invoice",
        "billing/payment",
    ):
        link = f"/admin/{table}/?organization__id__exact={acme.pk}"
        assert link in page, table
        assert administrator.get(link).status_code == 200


@pytest.mark.parametrize("plan", ["team", "enterprise_seat", "enterprise_usage"])
def test_the_page_opens_for_each_plan(administrator, acme, plan):
    acme.plan = plan
    acme.settlement = "prepaid" if plan == "team" else "postpaid"
    acme.save(update_fields=["plan", "settlement"])
    assert administrator.get(page_url(acme)).status_code == 200


def test_the_page_asks_as_much_of_30_members_as_of_3(administrator, acme):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert administrator.get(page_url(acme)).status_code == 200
        return len(caught)

    queries()  # what is asked once a process
    few = queries()
    for number in range(27):
        MembershipFactory(
            organization=acme,
            user=UserFactory(),
            base_role=Role.ADMIN if number % 5 == 0 else Role.MEMBER,
        )
    assert queries() == few


def test_support_reads_the_page_and_has_no_step(support, acme):
    page = text_of(support.get(page_url(acme)))
    assert "All 3 people" in page
    assert "steps-title" not in page


def test_nothing_is_changed_field_by_field_or_deleted(administrator, acme):
    answer = administrator.post(page_url(acme), {"name": "Other"})
    assert answer.status_code == 405
    assert administrator.post(
        page_url(acme).replace("change", "delete")
    ).status_code in (
        403,
        404,
    )
    acme.refresh_from_db()
    assert acme.name == "Acme"


def test_a_customer_that_is_not_there_leads_back_to_the_list(administrator, acme):
    for odd in ("999999", "x", "١٢"):
        address = page_url(acme).replace(f"/{acme.pk}/", f"/{odd}/")
        assert administrator.get(address).status_code in (302, 404)


@pytest.mark.parametrize("number", ["9" * 19, "9" * 5000, "-1", "x"])
def test_an_address_that_no_customer_can_have_leads_to_the_list(support, number):
    answer = support.get(f"/admin/accounts/organization/{number}/change/")
    assert answer.url == reverse("admin:accounts_organization_changelist")
