"""The operators' admin: every list opens with constant queries, append-only tables
can't be edited, acts do the changes.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry
from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from tests.factories.people import MembershipFactory, make_api_key, make_user
from tests.factories.usage import enable_extra_usage, event

OURS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in ("accounts", "billing")
]


@pytest.fixture
def operator(client, acme):
    """A signed-in operator."""
    user = make_user("operator@example.com", "Olga", is_staff=True, is_superuser=True)
    client.force_login(user)
    return client


def fill(acme, now, count):
    """Members with usage, caps, keys and audit."""
    enable_extra_usage(acme)
    members = MembershipFactory.create_batch(count, organization=acme)
    record_usage(
        [event(member, usd="1.20", at=now) for member in members for _ in range(2)],
        organization_id=acme.pk,
        now=now,
    )
    for number in range(count):
        AuditEntry.objects.create(
            organization=acme,
            at=now,
            action="cap.member",
            subject=f"s{number}",
            actor=members[number].user,
        )


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_takes_the_same_queries_at_3_and_30_rows(operator, acme, now, model):
    make_api_key(acme, now=now)
    address = reverse(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    )
    fill(acme, now, 3)
    operator.get(address)
    with CaptureQueriesContext(connection) as few:
        assert operator.get(address).status_code == 200
    fill(acme, now, 27)
    with CaptureQueriesContext(connection) as many:
        assert operator.get(address).status_code == 200
    assert len(many) == len(few)


@pytest.mark.parametrize(
    "name",
    [
        "accounts.AuditEntry",
        "billing.UsageEvent",
        "billing.Statement",
        "billing.MemberMonth",
    ],
)
def test_append_only_tables_and_counters_have_no_edit(operator, acme, now, name):
    fill(acme, now, 1)
    model = apps.get_model(name)
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert operator.get(reverse(f"{base}_add")).status_code == 403
    row = model.objects.first()
    if row:
        assert operator.get(reverse(f"{base}_change", args=[row.pk])).status_code == 200
        assert (
            operator.post(reverse(f"{base}_change", args=[row.pk]), {}).status_code
            == 403
        )
        assert (
            operator.post(
                reverse(f"{base}_delete", args=[row.pk]), {"post": "yes"}
            ).status_code
            == 403
        )


def test_an_event_shows_how_it_was_priced_and_funded(operator, acme, bob, now):
    record_usage([event(bob, usd="0.10", at=now)], organization_id=acme.pk, now=now)
    page = operator.get(
        reverse("admin:billing_usageevent_change", args=[UsageEvent.objects.get().pk])
    ).content.decode()
    assert "10,000 out × $10.00 / M" in page
    assert "$0.10</div>" in page


def test_members_are_not_operators(client, alice):
    client.force_login(alice.user)
    assert client.get("/admin/").status_code in (302, 403)
