"""Decisions in the audit (C8): which request, whose, by whom, and what became of it."""

from __future__ import annotations

import pytest

from accounts.audit import audit_row
from accounts.models import AuditEntry, SeatTier
from config.kit.money import usd
from requests_inbox.actions.asking import add_details, send_request
from requests_inbox.actions.deciding import (
    dismiss_request,
    increase_limit,
    move_to_premium,
)
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of_bob(blocked_bob):
    """Bob's request, pending."""
    return send_request(blocked_bob, now=NOW).request


def kept(action, member):
    """The entry's from and to in words, and the amounts beside them."""
    entry = AuditEntry.objects.select_related("actor").get(action=action)
    row = audit_row(entry)
    assert (entry.membership, row.subject, entry.at) == (member, "Bob Feld", NOW)
    assert row.who == "Ada Okafor"
    return row.before, row.after, row.before_nanos, row.after_nanos


def decide(act, request, by, **how):
    return act(request.organization, request_id=request.pk, by=by, now=NOW, **how)


def test_c8_a_dismissal_is_kept_with_its_note(request_of_bob, blocked_bob, by_ada):
    decide(dismiss_request, request_of_bob, by_ada, note="Next month")
    asked = f"Request {request_of_bob.pk} of 23 November 2026"
    assert kept("request.dismiss", blocked_bob) == (asked, "“Next month”", None, None)


def test_c8_an_approval_names_the_request_besides_the_cap_it_changed(
    request_of_bob, blocked_bob, by_ada
):
    add_details(blocked_bob, note="", asked_nanos=usd(80), now=NOW)
    how = {"amount_nanos": usd(60), "this_month_only": True}
    decide(increase_limit, request_of_bob, by_ada, **how)
    asked = f"Request {request_of_bob.pk} of 23 November 2026, for $80.00"
    assert kept("request.approve", blocked_bob) == (
        asked,
        "$60.00 this month only",
        usd(80),
        usd(60),
    )
    assert kept("cap.member", blocked_bob)[:2] == (
        "$40.00 (Standard seat cap)",
        "$60.00 this month only, then $40.00 (Standard seat cap)",
    )


def test_c8_a_seat_given_for_a_request_is_kept_as_its_answer(
    request_of_bob, blocked_bob, by_ada
):
    SeatTier.objects.filter(organization=blocked_bob.organization).update(bought=9)
    decide(move_to_premium, request_of_bob, by_ada)
    assert kept("request.approve", blocked_bob)[1] == "Premium seat"
    assert kept("member.seat", blocked_bob)[:2] == ("Standard", "Premium")
