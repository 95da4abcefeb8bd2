"""The step on a customer's own mail domains (X2): previewed, audited, never a public one."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from tests.customer.conftest import preview, take, text_of


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


def test_domains_are_set_after_a_preview_and_with_a_reason(administrator, acme):
    shown = text_of(preview(administrator, acme, "domains", domains="ACME.example"))
    assert "The mail domains of Acme would change." in shown
    assert "acme.example" in shown and "refused" in shown
    done = take(administrator, acme, "domains", domains="ACME.example")
    assert "The mail domains of Acme are changed." in text_of(done)
    acme.refresh_from_db()
    assert acme.own_domains == "acme.example"
    entry = AuditEntry.objects.get(action="organization.own_domains")
    assert (entry.reason, entry.to_value) == ("Ticket 8841", ["acme.example"])


def test_a_public_domain_is_refused_at_the_preview(administrator, acme):
    answer = text_of(preview(administrator, acme, "domains", domains="gmail.com"))
    assert "Anybody can have an address at gmail.com" in answer
    take(administrator, acme, "domains", domains="gmail.com")
    acme.refresh_from_db()
    assert acme.own_domains == ""


def test_a_domain_that_is_anothers_too_is_warned_of(administrator, acme, charlie):
    take(administrator, charlie.organization, "domains", domains="acme.example")
    shown = text_of(preview(administrator, acme, "domains", domains="acme.example"))
    assert "acme.example is also Umbrella's." in shown


def test_support_may_not(support, acme):
    take(support, acme, "domains", domains="acme.example")
    acme.refresh_from_db()
    assert acme.own_domains == ""
