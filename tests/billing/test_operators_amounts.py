"""Operators' forms refuse amounts that could not be real, at their field, with the most
that can (E5a, M1); and what is summed has room for all of them.
"""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.actions.audit import Actor
from accounts.models import Membership, User
from billing.caps.actions.caps import set_member_cap
from billing.funding.queries import organization_standing
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    LedgerEntry,
    ModelPrice,
    Payment,
    SeatAllowance,
    SpendCap,
    UsageAdjustment,
)
from billing.models.limits import MOST_COUNTED_NANOS, MOST_RATE_NANOS
from billing.models.prices import RATE_FIELDS
from billing.payments.actions.purchases import start_purchase
from billing.reports.queries.members import member_counts
from config.kit.errors import BusinessError
from config.kit.fields import new_key
from config.kit.money import usd
from tests.factories.people import make_user
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture
def operator(client, db):
    """Olga's browser in the Django admin."""
    olga = make_user("olga@operator.example", "Olga", is_staff=True, is_superuser=True)
    client.force_login(olga)
    return client


def errors(answer) -> dict[str, list[str]]:
    """The form's errors by field."""
    assert answer.status_code in (200, 422)
    context = answer.context
    form = context["adminform"].form if "adminform" in context else context["form"]
    return dict(form.errors)


def test_a_price_that_could_not_be_real_is_refused_in_dollars(operator):
    row = ModelPrice.objects.in_force().get(
        provider="anthropic", model="claude-sonnet-5"
    )
    typed = {name: getattr(row, name) for name in RATE_FIELDS}
    page = reverse("admin:billing_modelprice_change", args=[row.pk])
    answer = operator.post(page, typed | {"input_nanos": 9 * 10**18})
    sentence = errors(answer)["input_nanos"]
    assert sentence == [
        "That would be $9,000,000,000.00. The most is $10,000.00, which is "
        "10000000000000 nano-USD."
    ]
    answer = operator.post(page, typed | {"output_nanos": MOST_RATE_NANOS})
    assert answer.status_code == 302, "the most itself is taken"


def test_what_a_seat_includes_has_a_most(operator):
    row = SeatAllowance.objects.first()
    typed = {
        "plan": row.plan,
        "seat_tier": row.seat_tier,
        "name": row.name,
        "length_seconds": row.length_seconds,
        "amount_nanos": usd(1_000_000) + 1,
    }
    page = reverse("admin:billing_seatallowance_change", args=[row.pk])
    [sentence] = errors(operator.post(page, typed))["amount_nanos"]
    assert "The most is $1,000,000.00" in sentence


@pytest.mark.parametrize(
    ("rows", "field", "most"),
    [
        (ModelPrice, "input_nanos", MOST_RATE_NANOS),
        (SeatAllowance, "amount_nanos", usd(1_000_000)),
        (SpendCap, "amount_nanos", usd(1_000_000)),
        (BillingAccount, "ledger_nanos", MOST_COUNTED_NANOS),
    ],
)
def test_the_database_holds_the_same_bounds(acme, rows, field, most):
    enable_extra_usage(acme)
    rows.objects.update(**{field: most})
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.objects.update(**{field: most + 1})


def test_no_event_is_adjusted_beyond_what_an_event_can_cost(operator, acme, bob, now):
    enable_extra_usage(acme, cap=None)
    events = [event(bob, usd=amount, at=now) for amount in ("1000", "60")]
    record_usage(events, organization_id=acme.pk, now=now)
    page = reverse("admin:billing_usageadjustment_add")
    typed = {
        "key": new_key(),
        "organization": acme.pk,
        "event": events[1].id,
        "reason": "All of it",
    }
    [sentence] = errors(operator.post(page, typed | {"amount": "99,940.01"}))["amount"]
    assert "no event costs more than $100,000.00" in sentence
    [sentence] = errors(operator.post(page, typed | {"amount": "1e30"}))["amount"]
    assert "is not an amount" in sentence
    assert not UsageAdjustment.objects.exists()
    assert operator.post(page, typed | {"amount": "99,940"}).status_code == 302


def test_a_credit_has_a_most_and_so_has_the_balance(operator, bolt, now):
    page = reverse("admin:billing_ledgerentry_add")
    typed = {"key": new_key(), "organization": bolt.pk, "reason": "Sorry"}
    [sentence] = errors(operator.post(page, typed | {"amount": "1000000.01"}))["amount"]
    assert "over the maximum of $1,000,000.00" in sentence
    nearly = MOST_COUNTED_NANOS - usd(99)
    BillingAccount.objects.update_or_create(
        organization=bolt, defaults={"ledger_nanos": nearly}
    )
    [sentence] = errors(operator.post(page, typed | {"amount": "100"}))["amount"]
    assert "would pass $75,000,000.00" in sentence
    assert not LedgerEntry.objects.exists()
    with pytest.raises(BusinessError, match="most that a balance can be"):
        start_purchase(
            bolt,
            amount_nanos=usd(100),
            buyer=bolt.primary_owner,
            key=new_key(),
            now=now,
        )
    assert not Payment.objects.exists()


def test_ten_thousand_of_the_largest_caps_add_up_on_both_databases(acme, alice, now):
    actor = Actor.person(alice.user)
    set_member_cap(
        acme, membership=alice, amount_nanos=usd(1_000_000), actor=actor, now=now
    )
    enable_extra_usage(acme)
    capped = _many_capped(acme, 9_999)
    counts = member_counts(organization_standing(acme.pk, now=now))
    assert counts.capped_nanos == (capped + 1) * usd(1_000_000) > 2**63


def _many_capped(acme, number: int) -> int:
    """Members with the largest cap there is; how many."""
    users = User.objects.bulk_create(
        User(email=f"p{one}@acme.example", name=f"P{one}") for one in range(number)
    )
    members = Membership.objects.bulk_create(
        Membership(
            organization=acme,
            user=user,
            base_role="member",
            seat_tier="standard",
            joined_at=acme.created_at,
        )
        for user in users
    )
    SpendCap.objects.bulk_create(
        SpendCap(
            organization=acme,
            level="member",
            membership=member,
            amount_nanos=usd(1_000_000),
        )
        for member in members
    )
    return len(members)
