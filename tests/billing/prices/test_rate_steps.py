"""Operators set what everybody pays by steps: previewed, confirmed where it is unusual,
kept with who and why, and taken back from the audit. Their mistakes are stopped before.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions.audit import Actor
from accounts.models import AuditEntry
from billing.metering.actions.recording import record_usage
from billing.models import ModelPrice, UsageEvent
from billing.prices.actions import correct_price, map_name
from billing.prices.queries.holding import rates_of
from billing.prices.rules import PricedModel
from config.kit.money import usd
from tests.billing.prices.conftest import (
    look,
    press,
    rates_typed,
    take,
    undo_links,
    url_of,
)
from tests.customer.conftest import signed_in, text_of
from tests.factories.usage import event

SONNET = {"provider": "anthropic", "model": "claude-sonnet-5"}
TODAY = "2026-11-23"


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


def sonnet() -> list[ModelPrice]:
    """Its rates in force, by start."""
    rows = ModelPrice.objects.in_force().filter(**SONNET)
    return list(rows.order_by("starts_on", "context_above"))


def typed(**changed) -> dict[str, str]:
    """Sonnet's form from today on."""
    return rates_typed("claude-sonnet-5", **changed) | {"starts_on": TODAY}


# -- A rate -----------------------------------------------------------------------------


def test_the_form_starts_with_the_rates_of_now_in_dollars(administrator):
    page = administrator.get(url_of("modelprice_set", **SONNET))
    form = page.context["form"]
    assert (form["input_nanos"].value(), form["output_nanos"].value()) == (
        "2.00",
        "10.00",
    )
    assert form["model"].field.disabled
    assert text_of(page).count("USD per million tokens") == 5
    assert "USD per thousand searches" in text_of(page)
    assert "00:00 UTC" in text_of(page)


def test_a_rate_is_previewed_with_what_last_month_would_have_cost(used, administrator):
    sent = typed(output_nanos="12.50")
    shown = text_of(look(administrator, "modelprice_set", SONNET, **sent))
    assert "$10.00 → $12.50 (×1.25)" in shown
    assert "2 people in 1 organization" in shown
    assert "$6.00 → about $7.50 (×1.25)" in shown
    assert [row.output_nanos for row in sonnet()] == [usd(10)], "a preview does nothing"


def test_a_rate_is_set_from_a_day_on_and_what_was_recorded_stays(used, administrator):
    done = take(administrator, "modelprice_set", SONNET, **typed(output_nanos="12.50"))
    assert "reprice_events --dry-run" in text_of(done)
    assert [(str(r.starts_on), r.output_nanos) for r in sonnet()] == [
        ("1970-01-01", usd(10)),
        (TODAY, usd("12.50")),
    ]
    assert {one.cost_nanos for one in UsageEvent.objects.all()} == {usd(4), usd(2)}
    kept = AuditEntry.objects.filter(action="prices.correct")
    assert {entry.reason for entry in kept} == {"Ticket 8841"}
    told = {
        (entry.from_value or {}).get("rates", "-")["output_nanos"] for entry in kept
    }
    assert {entry.organization_id is None for entry in kept} == {True, False}
    assert told == {usd(10)}, "owners read the rate of before, and no other"


def test_a_correction_of_the_same_day_keeps_the_old_row_as_history(administrator):
    first, then = typed(input_nanos="3"), typed(input_nanos="4")
    take(administrator, "modelprice_set", SONNET, **first)
    take(administrator, "modelprice_set", SONNET, **then)
    rows = ModelPrice.objects.filter(**SONNET, starts_on=TODAY).order_by("pk")
    assert [(r.input_nanos, r.superseded_at is None) for r in rows] == [
        (usd(3), False),
        (usd(4), True),
    ]


def test_a_new_start_keeps_the_rates_of_larger_contexts(administrator, now):
    [base] = sonnet()
    key = ("anthropic", "claude-sonnet-5", base.starts_on, 200_000)
    large = {**rates_of(base), "input_nanos": usd(6)}
    correct_price(key, rates=large, actor=Actor(label="test"), now=now)
    sent = rates_typed_of(base, input_nanos="3") | {"starts_on": TODAY}
    shown = text_of(look(administrator, "modelprice_set", SONNET, **sent))
    assert "Rates for other sizes of context stay as they are" in shown
    take(administrator, "modelprice_set", SONNET, **sent)
    rows = [row for row in sonnet() if str(row.starts_on) == TODAY]
    assert [(r.context_above, r.input_nanos) for r in rows] == [
        (0, usd(3)),
        (200_000, usd(6)),
    ]


def rates_typed_of(row: ModelPrice, **changed: str) -> dict[str, str]:
    """A row's rates as dollars to type."""
    rates = rates_of(row)
    return {name: str(nanos / 10**9) for name, nanos in rates.items()} | changed


# -- Mistakes ---------------------------------------------------------------------------

SURE = {
    "nano-dollars typed as dollars": (
        {"output_nanos": "0.000005"},
        "A million output tokens would cost $0.000005 instead of $10.00.",
    ),
    "a thousand times too much": (
        {"input_nanos": "2,000"},
        "A million input tokens would cost $2000.00 instead of $2.00.",
    ),
    "free of charge": (
        {"output_nanos": "0"},
        "A million output tokens would cost nothing instead of $10.00.",
    ),
    "free searches": (
        {"web_search_nanos": "0"},
        "A thousand web searches would cost nothing instead of $10.00.",
    ),
}


@pytest.mark.parametrize("mistake", SURE)
def test_an_unusual_rate_is_said_in_a_sentence_and_must_be_ticked(
    administrator, mistake
):
    changed, sentence = SURE[mistake]
    sent = typed(**changed)
    shown = look(administrator, "modelprice_set", SONNET, **sent)
    assert sentence in text_of(shown)
    again = press(administrator, "modelprice_set", SONNET, shown, **sent)
    assert 'name="sure"' in text_of(again)
    assert len(sonnet()) == 1, "not ticked: nothing is done"
    press(administrator, "modelprice_set", SONNET, shown, sure="yes", **sent)
    assert len(sonnet()) == 2


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("-1", "below zero"),
        ("NaN", "is not an amount"),
        ("1e30", "is not an amount"),
        ("1.0000000001", "has 10 decimal places. A rate has at most 9"),
        ("5000000", "over the maximum of $10,000.00"),
        ("5.000.000", "is not an amount"),
        ("5,00", "is not an amount"),
        ("", "Enter an amount in dollars"),
    ],
)
def test_what_is_no_rate_is_refused_at_its_field(administrator, amount, says):
    sent = typed(output_nanos=amount)
    shown = look(administrator, "modelprice_set", SONNET, **sent)
    [sentence] = shown.context["form"].errors["output_nanos"]
    assert says in sentence and shown.status_code == 422
    press(administrator, "modelprice_set", SONNET, shown, sure="yes", **sent)
    assert len(sonnet()) == 1


def test_full_width_digits_are_read_as_such(administrator):
    sent = typed(output_nanos="１２．５")
    assert "$10.00 → $12.50" in text_of(
        look(administrator, "modelprice_set", SONNET, **sent)
    )


def test_rates_as_they_are_and_a_model_that_has_some_are_refused(administrator):
    shown = look(administrator, "modelprice_set", SONNET, **typed())
    assert "It is like that already." in text_of(shown)
    shown = look(
        administrator, "modelprice_set", {}, **SONNET, **typed(input_nanos="1")
    )
    assert "has rates already" in text_of(shown)


def test_a_reason_is_needed(administrator):
    sent = typed(input_nanos="3")
    answer = take(administrator, "modelprice_set", SONNET, reason=" ", **sent)
    assert "Give a reason" in text_of(answer)
    assert len(sonnet()) == 1


def test_a_preview_that_is_not_the_one_taken_is_shown_again(administrator, now):
    """Somebody changed the rate in between."""
    sent = typed(input_nanos="3")
    shown = look(administrator, "modelprice_set", SONNET, **sent)
    [row] = sonnet()
    key = ("anthropic", "claude-sonnet-5", row.starts_on, 0)
    between = {**rates_of(row), "input_nanos": usd(1)}
    correct_price(key, rates=between, actor=Actor(label="test"), now=now)
    again = press(administrator, "modelprice_set", SONNET, shown, **sent)
    assert "$1.00 → $3.00 (×3)" in text_of(again)
    assert [r.input_nanos for r in sonnet()] == [usd(1)]
    press(administrator, "modelprice_set", SONNET, again, **sent)
    assert [r.input_nanos for r in sonnet()] == [usd(1), usd(3)]


def test_other_words_than_those_previewed_are_shown_again(administrator):
    shown = look(administrator, "modelprice_set", SONNET, **typed(input_nanos="3"))
    press(administrator, "modelprice_set", SONNET, shown, **typed(input_nanos="300"))
    assert len(sonnet()) == 1


# -- Undo -------------------------------------------------------------------------------


def test_rates_are_taken_back_from_the_audit(administrator):
    take(administrator, "modelprice_set", SONNET, **typed(output_nanos="12.50"))
    [link] = undo_links(administrator)
    form = administrator.get(link).context["form"]
    assert form["output_nanos"].value() == "10.00"
    assert form["starts_on"].value() == TODAY
    assert form["model"].field.disabled


def test_support_sees_no_way_back(administrator):
    take(administrator, "modelprice_set", SONNET, **typed(output_nanos="12.50"))
    assert undo_links(signed_in("Support")) == []


# -- Fast -------------------------------------------------------------------------------


def test_a_preview_asks_as_often_of_many_as_of_few(used, acme, bob, administrator):
    sent = typed(output_nanos="12.50")
    look(administrator, "modelprice_set", SONNET, **sent)
    with CaptureQueriesContext(connection) as few:
        look(administrator, "modelprice_set", SONNET, **sent)
    october = dt.datetime(2026, 10, 21, 12, tzinfo=dt.UTC)
    names = [f"vendor/claude-sonnet-5-v{number}:0" for number in range(30)]
    events = [dataclasses.replace(event(bob, at=october), model=name) for name in names]
    record_usage(events, organization_id=acme.pk, now=october)
    with CaptureQueriesContext(connection) as many:
        shown = look(administrator, "modelprice_set", SONNET, **sent)
    assert "$9.00 → about $11.25" in text_of(shown)
    assert len(many) == len(few)


def test_the_audit_shows_changes_of_prices_in_as_many_questions(administrator, now):
    def change(number):
        for one in range(number):
            name, same = f"name-{one}", PricedModel("anthropic", "claude-sonnet-5")
            map_name(name, same_as=same, actor=Actor(label="test"), now=now)

    change(3)
    undo_links(administrator)
    with CaptureQueriesContext(connection) as few:
        assert len(undo_links(administrator)) == 3
    change(30)
    with CaptureQueriesContext(connection) as many:
        assert len(undo_links(administrator)) == 30
    assert len(many) == len(few)
