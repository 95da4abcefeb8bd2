"""Factors and names are set by steps like rates; the tables themselves are only read, and
each role sees what it may do.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from billing.metering.actions.recording import record_usage
from billing.models import ModelAlias, PriceFactor
from tests.billing.prices.conftest import look, take, undo_links, url_of
from tests.customer.conftest import signed_in, text_of
from tests.factories.usage import event

TODAY = "2026-11-23"


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


# -- A factor ---------------------------------------------------------------------------

FAST = {"condition": "speed", "value": "warp", "pattern": "anthropic/claude-sonnet-*"}


def factor(times: str, **about) -> dict[str, str]:
    """A factor's form from today on."""
    return {**FAST, "starts_on": TODAY, "millionths": times, **about}


def test_a_factor_is_previewed_with_models_and_money_and_set(used, administrator):
    shown = text_of(look(administrator, "pricefactor_set", {}, **factor("1.1")))
    assert "models: anthropic/claude-sonnet-" in shown
    assert "$6.00 → at most $6.60" in shown
    take(administrator, "pricefactor_set", {}, **factor("1.1"))
    row = PriceFactor.objects.in_force().get(value="warp")
    assert row.millionths == 1_100_000
    [link] = undo_links(administrator)
    assert administrator.get(link).context["form"]["millionths"].value() == "1"


@pytest.mark.parametrize("times", ["0", "-1", "NaN", "1e3", "1100000", "1.0000001", ""])
def test_what_is_no_factor_is_refused_at_its_field(administrator, times):
    shown = look(administrator, "pricefactor_set", {}, **factor(times))
    assert list(shown.context["form"].errors) == ["millionths"]


def test_an_unusual_factor_must_be_ticked(administrator):
    answer = take(administrator, "pricefactor_set", {}, **factor("11"))
    assert "would cost $110.00" in text_of(answer)
    assert not PriceFactor.objects.filter(value="warp").exists()
    take(administrator, "pricefactor_set", {}, sure="yes", **factor("11"))
    assert PriceFactor.objects.filter(value="warp").exists()


def test_a_pattern_that_fits_nothing_is_said(administrator):
    sent = factor("2", pattern="antropic/*")
    shown = text_of(look(administrator, "pricefactor_set", {}, **sent))
    assert "The price list has no model like “antropic/*”." in shown


# -- Names ------------------------------------------------------------------------------


def test_a_name_is_said_and_ended_with_a_preview(used, acme, bob, now, administrator):
    october = dt.datetime(2026, 10, 20, 12, tzinfo=dt.UTC)
    ours = dataclasses.replace(event(bob, at=october, usd="1"), model="ours-v1:0")
    record_usage([ours], organization_id=acme.pk, now=october)
    sent = {"name": "ours", "same_as": "anthropic/claude-sonnet-5"}
    shown = text_of(look(administrator, "modelalias_set", {}, **sent))
    assert "the fallback rates of anthropic → anthropic/claude-sonnet-5" in shown
    assert "1 person in 1 organization" in shown
    take(administrator, "modelalias_set", {}, **sent)
    assert ModelAlias.objects.get(name="ours").model == "claude-sonnet-5"
    [link] = undo_links(administrator)
    assert link.startswith(url_of("modelalias_end"))
    about = {"name": "ours"}
    asks = take(administrator, "modelalias_end", about)
    assert "would be an unknown model" in text_of(asks)
    assert ModelAlias.objects.filter(name="ours").exists()
    take(administrator, "modelalias_end", about, sure="yes")
    assert not ModelAlias.objects.filter(name="ours").exists()
    entry = AuditEntry.objects.filter(action="prices.name").latest("pk")
    assert (entry.from_value, entry.to_value) == ("anthropic/claude-sonnet-5", None)


def test_a_published_name_does_not_end(administrator):
    shown = text_of(look(administrator, "modelalias_end", {"name": "claude-mythos-5"}))
    assert "is a published name" in shown


# -- Roles, and no way around -----------------------------------------------------------

STEPS = ["modelprice_set", "pricefactor_set", "modelalias_set", "modelalias_end"]
STEPS += ["seatallowance_set", "seatallowance_end"]


@pytest.mark.parametrize("step", STEPS)
def test_only_administrators_take_steps(db, step):
    about = {"name": "claude-mythos-5"} if step == "modelalias_end" else {}
    for role, expected in (("Support", 403), ("Finance", 403), ("Administrators", 200)):
        client = signed_in(role)
        assert client.get(url_of(step, **about)).status_code == expected
        if expected == 403:
            assert client.post(url_of(step, **about), {}).status_code == 403


TABLES = {
    "modelprice": "Set the rates of a model",
    "pricefactor": "Set a factor",
    "modelalias": "Say what a name is the same as",
    "seatallowance": "Set what a seat includes",
}


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_are_read_and_have_no_form_of_their_own(administrator, table):
    base = f"admin:billing_{table}"
    row = administrator.get(reverse(f"{base}_changelist")).context["cl"].result_list[0]
    pages = [reverse(f"{base}_{page}", args=[row.pk]) for page in ("change", "delete")]
    assert administrator.get(pages[0]).status_code == 200
    assert TABLES[table] in text_of(administrator.get(pages[0]))
    assert TABLES[table] not in text_of(signed_in("Support").get(pages[0]))
    for page in (*pages, reverse(f"{base}_add")):
        assert administrator.post(page, {"post": "yes"}).status_code == 403
    sent = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    administrator.post(reverse(f"{base}_changelist"), sent)
    assert type(row).objects.filter(pk=row.pk).exists()
