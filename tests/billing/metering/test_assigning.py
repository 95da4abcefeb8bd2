"""Assigning unattributed usage (X2): off the line, onto the member, exactly once, by
adjustments that count to the open month.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from accounts.actions.audit import Actor
from accounts.audit import audit_row
from accounts.models import AuditEntry, Membership
from billing.books import differences
from billing.documents.closing import close_due
from billing.funding.queries import standing_of
from billing.metering.actions import assigning
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.assigning import assign_usage, preview_assignment
from billing.metering.actions.recording import record_usage
from billing.metering.actions.repricing import reprice_events
from billing.metering.rules.events import ReportedEvent
from billing.models import (
    BillingAccount,
    MemberMonth,
    ModelPrice,
    OrganizationMonth,
    UnattributedName,
    UsageAdjustment,
    UsageEvent,
)
from billing.prices.rules import Part, Usage
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.usage import enable_extra_usage, event

DAY = dt.timedelta(days=1)


@pytest.fixture
def sent(acme, now):
    """Three events of nobody, $0.60 together, with extra usage on."""
    enable_extra_usage(acme)
    events = [event("okta:1", at=now, usd="0.20") for _number in range(3)]
    record_usage(events, organization_id=acme.pk, now=now)
    return UnattributedName.objects.get()


def fresh(name: UnattributedName) -> UnattributedName:
    """The row as it is now."""
    return UnattributedName.objects.get(pk=name.pk)


def line_month(acme) -> MemberMonth:
    """What the unattributed line used."""
    return MemberMonth.objects.get(membership__in=_lines(acme))


def _lines(acme):
    return Membership.with_nobody.filter(organization=acme, status="nobody")


def test_x2_a_preview_books_nothing_and_says_what_would_move(sent, bob):
    would = preview_assignment(sent, bob)
    assert (would.events, would.extra_nanos, would.left) == (3, usd("0.60"), 0)
    assert not UsageAdjustment.objects.exists()


def test_x2_assigning_moves_it_exactly_and_leaves_the_organizations_sum(
    acme, sent, alice, bob, now
):
    done = assign_usage(sent, bob, actor=Actor.person(alice.user), now=now)
    assert (done.events, done.cost_nanos, done.left) == (3, usd("0.60"), 0)
    assert OrganizationMonth.objects.get().extra_nanos == usd("0.60")
    assert MemberMonth.objects.get(membership=bob).extra_nanos == usd("0.60")
    assert line_month(acme).extra_nanos == 0
    standing = standing_of(bob.pk, organization_id=acme.pk, now=now)
    assert standing.spent_nanos == usd("0.60")
    assert (fresh(sent).events, fresh(sent).cost_nanos) == (0, 0)
    assert list(differences()) == []
    row = audit_row(AuditEntry.objects.get(action="usage.assign"))
    assert (row.action, row.after) == ("Unattributed usage assigned", "$0.60, 3 events")
    assert (row.who, row.subject) == ("Alice Nakamura", "okta:1: Bob Feld")


def test_x2_again_moves_nothing_and_to_somebody_else_is_refused(
    sent, alice, ada, bob, now
):
    actor = Actor.person(alice.user)
    assign_usage(sent, bob, actor=actor, now=now)
    again = assign_usage(fresh(sent), bob, actor=actor, now=now)
    assert (again.events, again.cost_nanos) == (0, 0)
    with pytest.raises(BusinessError) as refused:
        assign_usage(sent, ada, actor=actor, now=now)
    assert refused.value.code == "already_assigned"
    assert "Bob Feld" in str(refused.value)
    assert UsageAdjustment.objects.count() == 6


def test_x2_new_events_of_the_name_stay_unattributed_and_are_assigned_next(
    acme, sent, alice, ada, bob, now
):
    actor = Actor.person(alice.user)
    assign_usage(sent, bob, actor=actor, now=now)
    late = event("okta:1", at=now, usd="0.07")
    record_usage([late], organization_id=acme.pk, now=now)
    assert (fresh(sent).events, fresh(sent).cost_nanos) == (1, usd("0.07"))
    assign_usage(fresh(sent), ada, actor=actor, now=now)
    assert MemberMonth.objects.get(membership=ada).extra_nanos == usd("0.07")
    assert MemberMonth.objects.get(membership=bob).extra_nanos == usd("0.60")
    assert list(differences()) == []


def test_x2_unbilled_usage_moves_as_unbilled(acme, alice, bob, now):
    sent = event("x", at=now, usd="0.30")
    record_usage([sent], organization_id=acme.pk, now=now)
    name = UnattributedName.objects.get()
    done = assign_usage(name, bob, actor=Actor.person(alice.user), now=now)
    assert (done.extra_nanos, done.unbilled_nanos) == (0, usd("0.30"))
    month = MemberMonth.objects.get(membership=bob)
    assert (month.extra_nanos, month.unbilled_nanos) == (0, usd("0.30"))
    assert list(differences()) == []


def test_x2_in_batches_and_what_is_left_is_told(sent, alice, bob, now, monkeypatch):
    monkeypatch.setattr(assigning, "BATCH", 1)
    monkeypatch.setattr(assigning, "MOST_AT_ONCE", 2)
    assert preview_assignment(sent, bob).left == 1
    actor = Actor.person(alice.user)
    first = assign_usage(sent, bob, actor=actor, now=now)
    assert (first.events, first.cost_nanos, first.left) == (2, usd("0.40"), 1)
    second = assign_usage(fresh(sent), bob, actor=actor, now=now)
    assert (second.events, second.cost_nanos, second.left) == (1, usd("0.20"), 0)
    assert list(differences()) == []


def test_p2_usage_of_a_closed_month_moves_in_the_open_one(acme, sent, alice, bob, now):
    december = now + 9 * DAY
    close_due(acme.pk, now=december)
    assign_usage(sent, bob, actor=Actor.person(alice.user), now=december)
    first_on = dt.date(2026, 12, 1)
    months = MemberMonth.objects.filter(month_on=first_on)
    assert months.get(membership=bob).extra_nanos == usd("0.60")
    line = months.get(membership__in=_lines(acme))
    assert line.extra_nanos == -usd("0.60")
    assert OrganizationMonth.objects.get(month_on=first_on).extra_nanos == 0
    close_due(acme.pk, now=december + 31 * DAY)
    assert list(differences()) == []


def test_t2_a_prepaid_balance_stays_the_same(bolt, now):
    BillingAccount.objects.filter(organization=bolt).update(
        extra_usage_enabled=True, scope="everyone"
    )
    sent = [event("x", at=now, usd="0.40") for _number in range(2)]
    record_usage(sent, organization_id=bolt.pk, now=now)
    before = BillingAccount.objects.get(organization=bolt).balance_nanos
    member = bolt.memberships.get(user__name__startswith="Mia")
    name = UnattributedName.objects.get()
    assign_usage(name, member, actor=Actor.person(bolt.primary_owner), now=now)
    assert BillingAccount.objects.get(organization=bolt).balance_nanos == before
    assert list(differences()) == []


def test_m4_a_new_price_is_booked_to_whom_it_was_assigned(acme, alice, bob, now):
    enable_extra_usage(acme)
    events = [
        ReportedEvent(name, name, "claude", "mystery-1", now, Usage(1_000_000, 0))
        for name in ("open", "moved")
    ]
    record_usage(events, organization_id=acme.pk, now=now)
    moved = UnattributedName.objects.get(sent_as="moved")
    assign_usage(moved, bob, actor=Actor.person(alice.user), now=now)
    sonnet = ModelPrice.objects.filter(model="claude-sonnet-5").first()
    sonnet.pk, sonnet.model, sonnet.input_nanos = None, "mystery-1", usd(2)
    sonnet.save()
    reprice_events(now=now)
    assert MemberMonth.objects.get(membership=bob).extra_nanos == usd(2)
    assert UnattributedName.objects.get(sent_as="open").cost_nanos == usd(2)
    assert fresh(moved).cost_nanos == 0
    assert list(differences()) == []


def test_an_operators_adjustment_goes_to_whom_it_was_assigned(
    acme, sent, alice, bob, now
):
    one = UsageEvent.objects.first()
    words = {"reason": "Goodwill", "operator": alice.user, "now": now}
    adjust_event(one, amount_nanos=-usd("0.05"), **words)
    assert fresh(sent).cost_nanos == usd("0.55")
    assign_usage(fresh(sent), bob, actor=Actor.person(alice.user), now=now)
    assert MemberMonth.objects.get(membership=bob).extra_nanos == usd("0.55")
    later = adjust_event(one, amount_nanos=-usd("0.15"), **words)
    assert later.membership_id == bob.pk
    assert MemberMonth.objects.get(membership=bob).extra_nanos == usd("0.40")
    assert list(differences()) == []


def test_m3_parts_move_each_with_its_model(acme, alice, bob, now):
    enable_extra_usage(acme)
    one = event("x", at=now, usd="0.10")
    half = replace(one.usage, output_tokens=one.usage.output_tokens // 2)
    parts = (
        Part("message", one.model, half),
        Part("message", "claude-haiku-4-5", half),
    )
    record_usage([replace(one, parts=parts)], organization_id=acme.pk, now=now)
    name = UnattributedName.objects.get()
    before = name.cost_nanos
    assign_usage(name, bob, actor=Actor.person(alice.user), now=now)
    assert MemberMonth.objects.get(membership=bob).extra_nanos == before
    assert UsageAdjustment.objects.count() == 4
    assert list(differences()) == []


def test_d1_only_to_members_of_the_organization(acme, sent, alice, charlie, now):
    actor = Actor.person(alice.user)
    for stranger in (charlie, _lines(acme).get()):
        with pytest.raises(BusinessError) as refused:
            assign_usage(sent, stranger, actor=actor, now=now)
        assert refused.value.code == "not_a_person"
    assert not UsageAdjustment.objects.exists()


def test_e8_the_audit_finds_a_move_that_is_not_whole(sent, alice, bob, now):
    assign_usage(sent, bob, actor=Actor.person(alice.user), now=now)
    one = UsageAdjustment.objects.filter(membership=bob).first()
    one.pk, one.amount_nanos = None, usd("0.01")
    UsageAdjustment.objects.bulk_create([one])
    tables = {difference.table for difference in differences()}
    assert "billing_usageadjustment" in tables
