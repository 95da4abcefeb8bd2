"""Fault 24: operators' lists of growing tables read none of them from end to end."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from config.kit import large_tables
from config.kit.large_tables import BoundedList, LargeTable
from tests.factories.people import make_user
from tests.factories.usage import enable_extra_usage, event

# Changed by operators themselves, or as many rows as there are customers or prices.
SMALL = {
    "accounts.organization",
    "billing.billingdetails",
    "billing.channel",
    "billing.modelalias",
    "billing.modelprice",
    "billing.numbergap",
    "billing.pricefactor",
    "billing.reportmail",
    "billing.sandboxpayment",
    "billing.sandboxrefund",
    "billing.seatallowance",
    "billing.unknownmodel",
}
LARGE = {
    model: page
    for model, page in admin.site._registry.items()
    if isinstance(page, BoundedList)
}
EVENTS = "admin:billing_usageevent_changelist"


def test_every_table_that_grows_is_listed_within_bounds():
    ours = {
        model._meta.label_lower
        for model in admin.site._registry
        if model._meta.app_label in ("accounts", "billing", "requests_inbox")
    }
    assert ours - SMALL == {model._meta.label_lower for model in LARGE}


@pytest.mark.parametrize("model", LARGE, ids=lambda model: model.__name__)
def test_no_list_asks_for_sums_or_values_of_all_rows(model):
    page = LARGE[model]
    assert page.date_hierarchy is None and not page.show_full_result_count
    pages = page.get_paginator(None, model.objects.none(), 100)
    assert isinstance(pages, large_tables.BoundedPaginator)
    for one in page.list_filter:
        if isinstance(one, str):  # else it names how its choices are found
            field = model
            for name in one.split("__"):
                field = field._meta.get_field(name) if field is model else field
            is_group = field.is_relation
            assert (
                field.choices
                or is_group
                or "Boolean" in type(field).__name__
                or (model is User)
            ), one
    if isinstance(page, LargeTable):
        assert page.ordering == ("-pk",) and page.found_by and not page.search_fields


@pytest.fixture
def operator(client, acme, bob, now):
    """A signed-in operator, with three events of Bob's."""
    user = make_user("operator@example.com", "Olga", is_staff=True, is_superuser=True)
    client.force_login(user)
    enable_extra_usage(acme)
    reported = [event(bob, usd="0.10", at=now) for _turn in range(3)]
    record_usage(reported, organization_id=acme.pk, now=now)
    return client


def count(page) -> int:
    """How many rows a list shows."""
    return page.context["cl"].result_count


def test_a_search_finds_by_exact_values_in_any_order(operator, bob):
    one = UsageEvent.objects.order_by("pk").first()
    address = reverse(EVENTS)
    for typed, found in {
        one.event_id: 1,
        str(one.pk): 1,
        bob.user.email: 3,
        bob.user.email.upper(): 3,
        "acme": 3,
        f"acme {one.event_id}": 1,
        f"nobody@x.example {one.event_id}": 0,
        "nothing": 0,
        "9" * 30: 0,
        '"': 0,
        "\0": 3,
    }.items():
        assert count(operator.get(address, {"q": typed})) == found, typed


def test_a_number_of_any_length_can_be_searched_for(operator):
    page = reverse("admin:billing_usageevent_changelist")
    assert operator.get(page, {"q": "9" * 5000}).status_code == 200
    step = reverse("admin:billing_modelprice_set")
    asked = {"provider": "anthropic", "context_above": "9" * 5000}
    assert operator.get(step, asked).status_code == 200


def test_a_list_says_when_there_are_more_rows_than_pages(operator, monkeypatch):
    address = reverse(EVENTS)
    assert b"are listed" not in operator.get(address).content
    monkeypatch.setattr(large_tables, "MOST_LISTED", 2)
    page = operator.get(address)
    assert count(page) == 2 and b"The first 2 are listed" in page.content
    assert operator.get(address, {"p": 1_000_000}).status_code in (200, 302)


def test_the_list_of_events_looks_at_the_newest_until_somebody_searches(
    operator, acme, monkeypatch
):
    page = admin.site._registry[UsageEvent]
    monkeypatch.setattr(page, "latest", 2)
    oldest = UsageEvent.objects.order_by("pk").first()
    assert count(operator.get(reverse(EVENTS))) == 2
    assert count(operator.get(reverse(EVENTS), {"q": oldest.event_id})) == 1
    change = reverse("admin:billing_usageevent_change", args=[oldest.pk])
    assert operator.get(change).status_code == 200


@pytest.mark.postgres
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"p": 5},
        {"funding__exact": "unbilled"},
        {"q": "bob@acme.example"},
        {"q": "acme"},
        {"q": "an-event"},
        {"q": "7"},
        {"q": "acme bob@acme.example an-event"},
    ],
    ids=str,
)
def test_neither_list_nor_search_reads_all_events(operator, asked):
    with CaptureQueriesContext(connection) as asked_for:
        operator.get(reverse(EVENTS), asked)
    about = [
        one["sql"] for one in asked_for if 'FROM "billing_usageevent"' in one["sql"]
    ]
    assert about
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in about:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert not re.search("Seq Scan on billing_usageevent", plan), plan
