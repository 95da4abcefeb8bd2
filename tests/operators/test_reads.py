"""Whoever looks at what is somebody's own leaves an entry, with no name in it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.audit import LOOKED_AT
from accounts.models import AuditEntry
from tests.factories.people import make_api_key, make_user


@pytest.fixture
def operator(client, db):
    person = make_user("op@example.com", "Olga", is_staff=True, is_superuser=True)
    client.force_login(person)
    return person


def reads():
    return AuditEntry.objects.filter(action=LOOKED_AT)


def test_opening_a_person_or_a_key_is_kept(client, operator, acme, bob, now):
    make_api_key(acme, now=now)
    key = acme.api_keys.get()
    client.get(reverse("admin:accounts_user_change", args=[bob.user_id]))
    client.get(reverse("admin:accounts_apikey_change", args=[key.pk]))
    kept = set(reads().values_list("subject", "actor__email"))
    assert kept == {
        (f"user #{bob.user_id}", operator.email),
        (f"apikey #{key.pk}", operator.email),
    }


def test_what_could_not_be_opened_is_not_kept(client, operator, acme):
    client.get(reverse("admin:accounts_user_change", args=[999_999]))
    assert not reads().exists()


def test_reads_do_not_crowd_the_start_page(client, operator, acme, bob):
    client.get(reverse("admin:accounts_user_change", args=[bob.user_id]))
    page = client.get(reverse("admin:index")).content.decode()
    assert "Looked at by an operator" not in page
