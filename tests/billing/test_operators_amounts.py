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
    BillingDetails,
    LedgerEntry,
    ModelPrice,
    Payment,
    SeatAllowance,
    SpendCap,
    UsageAdjustment,
)
from billing.models.limits import MOST_COUNTED_NANOS, MOST_RATE_NANOS
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


def refusals(answer) -> list[str]:
    """What a step's form refuses, whatever the field."""
    return [sentence for field in errors(answer).values() for sentence in field]


def today(row, *names):
    return {name: getattr(row, name) for name in names}


@pytest.mark.parametrize(
    ("model", "field", "typed", "says"),
    [
        (BillingDetails, "due_days", 366, "Enter 365 days or fewer"),
    ],
)
def test_what_the_database_refuses_is_told_in_a_sentence_at_the_field(
    operator, acme, model, field, typed, says
):
    """Item 9: no operator reads the name of a constraint."""
    BillingDetails.objects.get_or_create(organization=acme)
    row = model.objects.first()
    names = [one.name for one in model._meta.fields if one.name != "id"]
    form = {**today(row, *names), "tax_percent": 0, field: typed}
    form = {name: value for name, value in form.items() if value is not None}
    page = reverse(f"admin:billing_{model._meta.model_name}_change", args=[row.pk])
    found = errors(operator.post(page, form))
    assert list(found) == [field]
    assert says in found[field][0]


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
    page = reverse("admin:customer_step", args=[acme.pk, "adjust"])
    typed = {"key": new_key(), "event": events[1].id, "way": "more"}
    [sentence] = refusals(operator.post(page, typed | {"amount": "99,940.01"}))
    assert "no event costs more than $100,000.00" in sentence
    [sentence] = refusals(operator.post(page, typed | {"amount": "1e30"}))
    assert "is not an amount" in sentence
    assert not UsageAdjustment.objects.exists()
    assert operator.post(page, typed | {"amount": "99,940"}).status_code == 200


def test_a_credit_has_a_most_and_so_has_the_balance(operator, bolt, now):
    page = reverse("admin:customer_step", args=[bolt.pk, "credit"])
    typed = {"key": new_key()}
    [sentence] = refusals(operator.post(page, typed | {"amount": "1000000.01"}))
    assert "over the maximum of $1,000,000.00" in sentence
    nearly = MOST_COUNTED_NANOS - usd(99)
    BillingAccount.objects.update_or_create(
        organization=bolt, defaults={"ledger_nanos": nearly}
    )
    [sentence] = refusals(operator.post(page, typed | {"amount": "100"}))
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
