"""Price changes in the activity of organizations that used the model (C8), and of nobody
else.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from accounts.actions.audit import Actor
from accounts.audit import audit_row
from accounts.models import AuditEntry, Plan
from billing.metering.actions.recording import record_usage
from billing.models import ModelPrice, PriceFactor, SeatAllowance
from billing.models.prices import RATE_FIELDS, SINCE_ALWAYS
from billing.prices.actions import (
    correct_price,
    end_allowance,
    enter_factor,
    map_name,
    set_allowance,
    sync_prices,
)
from billing.prices.queries.published import PublishedFactor
from billing.prices.rules import PricedModel
from config.kit.errors import BusinessError
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


def enter(pattern, millionths, *, starts_on=SINCE_ALWAYS, now):
    """An operator's factor for fast mode."""
    factor = PublishedFactor("speed", "fast", pattern, starts_on, millionths, "")
    enter_factor(factor, actor=Actor(label="operator"), now=now)


def test_c8_a_factor_reaches_those_who_used_a_model_it_is_for(used, charlie, now):
    pattern = "anthropic/claude-sonnet-*"
    enter(pattern, 1_500_000, now=now)
    enter(pattern, 2_000_000, now=now)
    enter("openai/*", 3_000_000, now=now)
    enter(pattern, 2_500_000, starts_on=dt.date(2027, 1, 1), now=now)
    subject = f"speed=fast {pattern}"
    assert told(used) == [
        ("Price factor", subject, "", "× 1.5"),
        ("Price factor", subject, "× 1.5", "× 2"),
        ("Price factor", subject, "", "× 2.5; from 1 January 2027"),
    ]
    assert told(charlie.organization) == []


def test_a_factor_of_0_is_refused_also_by_the_act(db, now):
    for millionths in (0, -1, 100_000_001):
        with pytest.raises(BusinessError, match="A factor is above 0"):
            enter("anthropic/*", millionths, now=now)


def test_c8_a_factor_that_a_sync_brings_reaches_them_too(used, now):
    PriceFactor.objects.create(
        condition="speed",
        value="warp",
        pattern="anthropic/claude-sonnet-*",
        millionths=1_500_000,
        source="published",
        created_at=now,
    )
    for _again in range(2):
        sync_prices(actor=Actor(label="prices job"), now=now)
    subject = "speed=warp anthropic/claude-sonnet-*"
    assert told(used) == [("Price factor", subject, "× 1.5", "")]


def test_c8_a_name_reaches_those_whose_gateway_reported_it(used, charlie, now):
    for model in ("claude-sonnet-5", "claude-opus-5"):
        map_name(
            "MYSTERY-next",
            same_as=PricedModel("anthropic", model),
            actor=Actor(label="operator"),
            now=now,
        )
    sonnet, opus = "anthropic/claude-sonnet-5", "anthropic/claude-opus-5"
    assert told(used) == [
        ("Model name", "mystery-next", "", sonnet),
        ("Model name", "mystery-next", sonnet, opus),
    ]
    assert told(charlie.organization) == []


def test_c8_what_a_seat_includes_reaches_organizations_on_that_plan(acme, charlie, now):
    row = SeatAllowance.objects.get(
        plan=Plan.ENTERPRISE_SEAT, seat_tier="standard", name="session"
    )
    key = (row.plan, row.seat_tier, row.name)
    act = {"actor": Actor(label="operator"), "now": now}
    was = {"amount_nanos": row.amount_nanos, "length_seconds": row.length_seconds}
    set_allowance(key, **was, **act)
    assert not AuditEntry.objects.exists(), "set as it was: no change"
    set_allowance(key, **was | {"amount_nanos": 7_000_000_000}, **act)
    [(what, _subject, _before, after)] = told(acme)
    assert (what, after) == ("Included usage", "$7.00 in 5 h")
    end_allowance(key, **act)
    assert told(acme)[-1][2:] == ("$7.00 in 5 h", "")
    assert (len(told(charlie.organization)) > 0) == (
        charlie.organization.plan == Plan.ENTERPRISE_SEAT
    )
