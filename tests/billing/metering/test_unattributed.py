"""Usage of somebody unknown (X2): recorded on the organization's unattributed line, once,
under the name that was sent; it counts to the organization's cap and to no person's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from billing.books import differences
from billing.documents.closing import close_due
from billing.documents.queries.documents import invoices_of
from billing.funding.queries import organization_standing
from billing.metering.actions.recording import record_usage
from billing.metering.queries.unattributed import open_names
from billing.models import (
    BillingAccount,
    IncludedWindow,
    MemberMonth,
    OrganizationMonth,
    UnattributedName,
    UsageEvent,
)
from billing.prices.rules import Part
from config.kit.money import usd
from tests.factories.people import MembershipFactory, make_user
from tests.factories.usage import enable_extra_usage, event

MINUTE = dt.timedelta(minutes=1)


def record(acme, *events, now):
    """Record events and give their results."""
    return record_usage(events, organization_id=acme.pk, now=now).results


def nobody_of(acme) -> Membership:
    """Acme's unattributed line."""
    return Membership.with_nobody.get(organization=acme, status="nobody")


def test_x2_usage_of_somebody_unknown_is_recorded_and_never_invalid(acme, bob, now):
    enable_extra_usage(acme)
    unknown, known = record(
        acme,
        event("okta:00u8xk2p9d", at=now, usd="0.50"),
        event(bob, at=now, usd="0.20"),
        now=now,
    )
    assert (unknown.status, unknown.funding) == ("recorded", "extra_usage")
    assert "okta:00u8xk2p9d" in unknown.notes[0]
    assert (known.status, known.funding) == ("recorded", "included")
    row = UsageEvent.objects.get(event_id=unknown.id)
    assert (row.membership, row.unattributed.sent_as) == (
        nobody_of(acme),
        "okta:00u8xk2p9d",
    )
    assert (row.seat_tier, row.refusal_reason) == ("", "member_not_found")
    assert OrganizationMonth.objects.get().extra_nanos == usd("0.50")
    assert MemberMonth.objects.get(membership=bob).extra_nanos == 0
    assert list(differences()) == []


def test_x2_it_counts_to_the_organizations_cap_and_a_reached_cap_stops_no_recording(
    acme, bob, now
):
    enable_extra_usage(acme, cap="1")
    sent = [event("x@acme.example", at=now, usd="0.90") for _number in range(3)]
    results = record(acme, *sent, now=now)
    assert [result.funding for result in results] == ["extra_usage"] * 3
    standing = organization_standing(acme.pk, now=now)
    assert standing.spent_nanos == usd("2.70")
    assert standing.cap.is_reached(standing.spent_nanos)
    assert not IncludedWindow.objects.exists()


@pytest.mark.parametrize(
    ("plan", "scope", "is_on", "funding"),
    [
        ("enterprise_seat", "everyone", True, "extra_usage"),
        ("enterprise_seat", "selected", True, "unbilled"),
        ("enterprise_seat", "everyone", False, "unbilled"),
        ("enterprise_usage", "everyone", False, "extra_usage"),
    ],
)
def test_x2_it_is_extra_usage_where_that_is_on_for_everyone(
    acme, now, plan, scope, is_on, funding
):
    enable_extra_usage(acme, scope=scope)
    BillingAccount.objects.update(extra_usage_enabled=is_on)
    type(acme).objects.filter(pk=acme.pk).update(plan=plan)
    [result] = record(acme, event("x", at=now), now=now)
    assert result.funding == funding
    assert list(differences()) == []


def test_x2_a_prepaid_balance_pays_for_it(bolt, now):
    BillingAccount.objects.filter(organization=bolt).update(
        extra_usage_enabled=True, scope="everyone"
    )
    [result] = record(bolt, event("x", at=now, usd="0.40"), now=now)
    account = BillingAccount.objects.get(organization=bolt)
    assert (result.funding, account.pending_nanos) == ("extra_usage", usd("0.40"))
    assert list(differences()) == []


def test_x2_names_are_counted_each_in_one_spelling(acme, now):
    early = now - 9 * MINUTE
    record(acme, event("Emil@Acme.example", at=now, usd="0.10"), now=now)
    record(
        acme,
        event(" emil@acme.EXAMPLE ", at=early, usd="0.30"),
        event("okta:Emil", at=now, usd="0.01"),
        event("okta:emil", at=now, usd="0.02"),
        now=now,
    )
    names = {name.sent_as: name for name in open_names(acme.pk)}
    assert set(names) == {"emil@acme.example", "okta:Emil", "okta:emil"}
    emil = names["emil@acme.example"]
    assert (emil.events, emil.unbilled_nanos) == (2, usd("0.40"))
    assert (emil.first_seen_at, emil.last_seen_at) == (early, now)
    assert list(differences()) == []


def test_e6_the_same_event_is_a_duplicate_and_under_another_name_a_conflict(acme, now):
    sent = event("x", id="e", at=now)
    [first] = record(acme, sent, now=now)
    [again] = record(acme, sent, now=now)
    [other] = record(acme, replace(sent, member="y"), now=now)
    statuses = [first.status, again.status, other.status]
    assert statuses == ["recorded", "duplicate", "conflict"]
    assert UnattributedName.objects.get().events == 1


def test_e6_a_retry_is_a_duplicate_when_the_name_has_become_a_members(acme, now):
    sent = event("Emil@acme.example", id="e", at=now)
    record(acme, sent, now=now)
    emil = MembershipFactory(
        organization=acme, user=make_user("emil@acme.example", "Emil")
    )
    [again] = record(acme, sent, now=now)
    [fresh] = record(acme, replace(sent, id="f"), now=now)
    assert (again.status, fresh.status) == ("duplicate", "recorded")
    assert UsageEvent.objects.get(event_id="f").membership_id == emil.pk


def test_x2_nobodys_line_is_one_and_named_by_nothing(acme, now):
    record(acme, event("x", at=now), now=now)
    line = nobody_of(acme)
    record(acme, event(str(line.pk), at=now), event("unattributed", at=now), now=now)
    assert nobody_of(acme) == line
    sent = set(open_names(acme.pk).values_list("sent_as", flat=True))
    assert sent == {"x", str(line.pk), "unattributed"}


def test_d1_a_member_of_another_organization_is_unknown_here(acme, charlie, now):
    record(acme, event(charlie, at=now), event(str(charlie.pk), at=now), now=now)
    assert {row.membership for row in UsageEvent.objects.all()} == {nobody_of(acme)}
    theirs = open_names(charlie.organization_id)
    assert (open_names(acme.pk).count(), theirs.count()) == (2, 0)


def test_x2_two_organizations_have_a_line_each(acme, charlie, now):
    record(acme, event("x", at=now), now=now)
    record(charlie.organization, event("x", at=now), now=now)
    assert Membership.with_nobody.filter(status="nobody").count() == 2
    assert User.objects.filter(email="unattributed").count() == 1


def test_m3_an_event_in_parts_and_one_of_nobody_travel_together(acme, bob, now):
    one = event("x", at=now, usd="0.10")
    split = replace(one, id="split", parts=(Part("message", one.model, one.usage),))
    results = record(acme, split, event(bob, at=now), now=now)
    assert [result.status for result in results] == ["recorded", "recorded"]
    assert UnattributedName.objects.get().cost_nanos == usd("0.10")
    assert list(differences()) == []


def test_the_hot_path_asks_nothing_of_it_for_known_members(acme, bob, now):
    record(acme, event("x", at=now), event(bob, at=now), now=now)
    with CaptureQueriesContext(connection) as captured:
        record(acme, event(bob, at=now + MINUTE), now=now + MINUTE)
    statements = [one["sql"] for one in captured.captured_queries]
    assert any("billing_usageevent" in statement for statement in statements)
    for statement in statements:
        # The look-up of what was recorded before has one more of its columns.
        statement = statement.replace("e.unattributed_id", "")
        for word in ("unattributed", "unknown_people", "nobody"):
            assert word not in statement


def test_p2_the_invoice_has_a_line_for_it(acme, bob, now):
    enable_extra_usage(acme)
    record(acme, event("x", at=now, usd="1.25"), now=now)
    close_due(acme.pk, now=now + dt.timedelta(days=9))
    invoice = invoices_of(acme.pk).get()
    [line] = invoice.lines.filter(kind="usage")
    assert (line.member_name, line.amount_nanos) == ("Unattributed", usd("1.25"))
    call_command("audit_books")


def test_e8_the_audit_finds_a_name_that_counts_wrongly(acme, now):
    record(acme, event("x", at=now, usd="1.25"), now=now)
    UnattributedName.objects.update(events=2, unbilled_nanos=usd("1.26"))
    found = {(one.column, one.kept, one.proven) for one in differences()}
    assert found == {
        ("events", 2, 1),
        ("unbilled_nanos", usd("1.26"), usd("1.25")),
    }
