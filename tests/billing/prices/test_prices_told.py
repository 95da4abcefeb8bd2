"""Price changes in the activity of organizations that used the model (C8), and of nobody
else.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.urls import reverse

from accounts.actions.audit import Actor
from accounts.audit import audit_row
from accounts.models import AuditEntry, Plan
from billing.metering.actions.recording import record_usage
from billing.models import ModelPrice, SeatAllowance
from billing.models.prices import RATE_FIELDS, SINCE_ALWAYS
from billing.prices.actions import correct_price, sync_prices
from tests.factories.people import make_user
from tests.factories.usage import event

SONNET = ("anthropic", "claude-sonnet-5", SINCE_ALWAYS, 0)


def rates_of(model: str, **changed: int) -> dict[str, int]:
    """The rates in force, some of them changed."""
    row = ModelPrice.objects.in_force().get(provider="anthropic", model=model)
    return {name: getattr(row, name) for name in RATE_FIELDS} | changed


def told(organization):
    """What its owners read of prices: subject, from, to."""
    entries = AuditEntry.objects.filter(organization=organization).order_by("pk")
    rows = [audit_row(entry) for entry in entries.select_related("actor")]
    return [(row.action, row.subject, row.before, row.after) for row in rows]


@pytest.fixture
def used(acme, bob, now):
    """Acme used Sonnet under the name its gateway has for it, and an unknown model."""
    names = ("claude-sonnet-5", "mystery-next")
    events = [dataclasses.replace(event(bob, at=now), model=name) for name in names]
    record_usage(events, organization_id=acme.pk, now=now)
    return acme


def test_c8_a_corrected_price_reaches_those_who_used_the_model(used, charlie, now):
    correct_price(
        SONNET,
        rates=rates_of("claude-sonnet-5", input_nanos=3_000_000_000),
        actor=Actor(label="operator"),
        now=now,
    )
    assert told(used) == [
        (
            "Price",
            "claude-sonnet-5",
            "input, per million: $2.00",
            "input, per million: $3.00",
        )
    ]
    assert told(charlie.organization) == []


def test_c8_a_new_start_date_says_from_when(used, now):
    rates = rates_of("claude-sonnet-5", input_nanos=1_000_000_000)
    key = ("anthropic", "claude-sonnet-5", dt.date(2027, 1, 1), 200_000)
    correct_price(key, rates=rates, actor=Actor(label="operator"), now=now)
    [(_what, _model, before, after)] = told(used)
    assert before == ""
    assert after.startswith("input, per million: $1.00; output, per million: $10.00;")
    assert after.endswith("; from 1 January 2027; above 200,000 tokens")


def test_c8_a_sync_tells_each_price_it_corrected_and_only_once(used, now):
    corrected = ("claude-sonnet-5", "claude-opus-4-8")
    ModelPrice.objects.filter(provider="anthropic", model__in=corrected).update(
        output_nanos=1_000_000_000
    )
    for _again in range(2):
        sync_prices(actor=Actor(label="prices job"), now=now)
    assert told(used) == [
        (
            "Price",
            "claude-sonnet-5",
            "output, per million: $1.00",
            "output, per million: $10.00",
        )
    ]
    operators = AuditEntry.objects.get(organization=None, action="prices.sync")
    assert operators.to_value["corrected"] == 2


def test_c8_the_fallback_rate_touches_those_whose_models_have_no_price(
    used, charlie, now
):
    correct_price(
        ("anthropic", "", SINCE_ALWAYS, 0),
        rates=rates_of("", input_nanos=9_000_000_000),
        actor=Actor(label="operator"),
        now=now,
    )
    assert [subject for _what, subject, *_values in told(used)] == ["fallback"]
    assert told(charlie.organization) == []


def test_c8_what_a_seat_includes_reaches_organizations_on_that_plan(
    client, acme, charlie, now
):
    olga = make_user("olga@operator.example", "Olga", is_staff=True, is_superuser=True)
    client.force_login(olga)
    of_plan = SeatAllowance.objects.filter(plan=Plan.ENTERPRISE_SEAT)
    row = of_plan.get(seat_tier="standard", name="session")
    page = reverse("admin:billing_seatallowance_change", args=[row.pk])
    typed = {
        "plan": row.plan,
        "seat_tier": row.seat_tier,
        "name": row.name,
        "length_seconds": row.length_seconds,
        "amount_nanos": row.amount_nanos,
    }
    assert client.post(page, typed).status_code == 302
    assert not AuditEntry.objects.exists(), "saved as it was: no change"
    assert client.post(page, typed | {"amount_nanos": 7_000_000_000}).status_code == 302
    [(what, _subject, _before, after)] = told(acme)
    assert (what, after) == ("Included usage", "$7.00 in 5 h")
    delete = reverse("admin:billing_seatallowance_delete", args=[row.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert told(acme)[-1][2:] == ("$7.00 in 5 h", "")
    assert (len(told(charlie.organization)) > 0) == (
        charlie.organization.plan == Plan.ENTERPRISE_SEAT
    )
