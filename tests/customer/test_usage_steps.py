"""What operators do with a customer's events are steps: adjust one, reprice many; their
mistakes are stopped, or said, at the preview.
"""

from __future__ import annotations

import re

import pytest

from accounts.actions.audit import Actor
from accounts.models import AuditEntry
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.metering.admin import reprice_steps
from billing.metering.rules.events import ReportedEvent
from billing.models import (
    ModelPrice,
    OrganizationMonth,
    SeatAllowance,
    UsageAdjustment,
    UsageEvent,
)
from billing.models.prices import RATE_FIELDS
from billing.prices.actions import correct_price
from billing.prices.rules import Usage
from config.kit.fields import new_key
from config.kit.money import usd
from tests.customer.conftest import (
    page_url,
    preview,
    seen_in,
    signed_in,
    step_url,
    take,
    text_of,
)
from tests.factories.balances import balance, make_bolt, turn_on, use_up_included
from tests.factories.documents import use_november
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def finance(db):
    """Acts on money."""
    return signed_in("Finance")


@pytest.fixture
def used(acme, now):
    """Acme: bob-code is $12.345, bob-chat $2, ada-code $30."""
    use_november(acme, at=now)
    return acme


def last(action: str) -> AuditEntry:
    """The latest change of a kind."""
    return AuditEntry.objects.filter(action=action).latest("pk")


def adjust(**typed):
    """What is typed about one event."""
    return {
        "event": "bob-code",
        "way": "waive",
        "amount": "",
        "key": new_key(),
        **typed,
    }


# -- One event --------------------------------------------------------------------------


def test_an_event_is_waived_after_a_preview_of_whose_and_where(finance, used):
    typed = adjust()
    shown = text_of(preview(finance, used, "adjust", **typed))
    for words in (
        "bob-code would cost $0.00.",
        "$12.345 → $0.00",
        "Bob Feld",
        "claude-sonnet-5",
        "invoice of November 2026",
    ):
        assert words in shown, words
    assert not UsageAdjustment.objects.exists()
    take(finance, used, "adjust", **typed)
    row = UsageAdjustment.objects.get()
    assert (row.amount_nanos, row.reason) == (-usd("12.345"), "Ticket 8841")
    entry = last("usage.adjustment")
    assert (entry.reason, entry.actor.name) == ("Ticket 8841", "Finance")
    assert (entry.from_value, entry.to_value) == (usd("12.345"), 0)
    assert list(differences()) == []


def test_an_event_of_a_balance_says_what_the_balance_comes_to(finance, now):
    bolt = make_bolt(now=now)
    use_up_included(bolt)
    turn_on(bolt, now=now)
    sent = event("mia@bolt.example", at=now, usd="30", id="mia-1")
    record_usage([sent], organization_id=bolt.pk, now=now)
    typed = adjust(event="mia-1", way="less", amount="10")
    shown = text_of(preview(finance, bolt, "adjust", **typed))
    assert "$30.00 → $20.00" in shown and "$70.00 → $80.00" in shown
    assert "statement of November 2026" in shown
    take(finance, bolt, "adjust", **typed)
    assert balance(bolt) == usd(80) and list(differences()) == []


def test_an_event_of_another_customer_is_refused_with_whose_it_is(
    finance, used, charlie
):
    umbrella = charlie.organization
    shown = preview(finance, umbrella, "adjust", **adjust())
    assert shown.status_code == 422
    assert "bob-code belongs to Acme, not to Umbrella." in text_of(shown)
    nobody = preview(finance, umbrella, "adjust", **adjust(event="nothing"))
    assert "no event with that ID" in text_of(nobody)
    take(finance, umbrella, "adjust", **adjust())
    assert not UsageAdjustment.objects.exists()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"way": "less", "amount": "12.35"}, "deducts no more than that"),
        ({"way": "less", "amount": "0"}, "other than zero"),
        ({"way": "more", "amount": "99,990"}, "no event costs more than $100,000.00"),
        ({"way": "more", "amount": ""}, "Enter an amount."),
        ({"way": "less", "amount": "1e30"}, "is not an amount"),
        ({"way": "priced"}, "other than zero"),
    ],
)
def test_an_amount_that_no_event_costs_is_refused(finance, used, typed, says):
    shown = preview(finance, used, "adjust", **adjust(**typed))
    assert shown.status_code == 422 and says in text_of(shown)


def test_an_adjustment_pressed_twice_is_one(finance, used):
    typed = adjust(way="less", amount="2")
    take(finance, used, "adjust", **typed)
    again = text_of(take(finance, used, "adjust", **typed))
    assert "-$2.00 was booked already by this form" in again
    other = preview(finance, used, "adjust", **{**typed, "amount": "3"})
    assert "already used to book" in text_of(other)
    assert UsageAdjustment.objects.count() == 1


def test_an_adjustment_is_taken_back_to_what_the_prices_say(finance, used):
    take(finance, used, "adjust", **adjust())
    page = text_of(finance.get(page_url(used)))
    [undo] = re.findall(r'href="([^"]+/steps/adjust/[^"]+)">Undo<', page)
    form = text_of(finance.get(undo))
    assert 'value="bob-code"' in form and 'value="Undo"' in form
    typed = adjust(way="priced")
    shown = text_of(preview(finance, used, "adjust", **typed))
    assert "$0.00 → $12.345" in shown
    take(finance, used, "adjust", **typed)
    assert sum(UsageAdjustment.objects.values_list("amount_nanos", flat=True)) == 0
    assert ">Undo<" not in text_of(finance.get(page_url(used)))
    assert list(differences()) == []


def test_the_events_page_leads_to_it_for_those_who_may(finance, support, used):
    row = UsageEvent.objects.get(event_id="bob-code")
    address = f"/admin/billing/usageevent/{row.pk}/change/"
    assert "/steps/adjust/?event=bob-code" in text_of(finance.get(address))
    assert "/steps/adjust/" not in text_of(support.get(address))
    for name in ("adjust", "reprice"):
        assert support.get(step_url(used, name)).status_code == 403
        assert support.post(step_url(used, name), {}).status_code == 403
        assert finance.get(step_url(used, name)).status_code == 200


# -- Many events ------------------------------------------------------------------------


def use_unknown(member, now, id):
    """An event of a model that nobody has a price for: $15 at the fallback rate."""
    organization = member.organization
    SeatAllowance.objects.filter(plan=organization.plan).delete()
    enable_extra_usage(organization)
    sent = ReportedEvent(
        id, member.user.email, "claude", "mystery-1", now, Usage(1_000_000, 0)
    )
    record_usage([sent], organization_id=organization.pk, now=now)


def price_it(now):
    """The model gets a price since: that event is $3 then."""
    price = ModelPrice.objects.in_force().filter(model="claude-sonnet-5").first()
    rates = {name: getattr(price, name) for name in RATE_FIELDS}
    correct_price(
        ("anthropic", "mystery-1", price.starts_on, 0),
        rates=rates | {"input_nanos": usd(3)},
        actor=Actor(label="operator"),
        now=now,
    )


@pytest.fixture
def dearer(acme, bob, now):
    """Two events of claude-sonnet-5, one of a model that got a price since."""
    use_unknown(bob, now, "u")
    sent = [event(bob, usd="1.00", at=now), event(bob, usd="2.00", at=now)]
    record_usage(sent, organization_id=acme.pk, now=now)
    price_it(now)
    return acme


def test_repricing_is_previewed_by_model_and_month_and_booked(finance, dearer):
    shown = text_of(preview(finance, dearer, "reprice"))
    assert "1 of 3 events would be adjusted, -$12.00 in total." in shown
    assert "mystery-1, November 2026, 1 event" in shown
    assert not UsageAdjustment.objects.exists()
    done = text_of(take(finance, dearer, "reprice"))
    assert "1 event was adjusted, -$12.00 in total." in done
    entry = last("usage.repricing")
    assert (entry.reason, entry.actor.name) == ("Ticket 8841", "Finance")
    again = preview(finance, dearer, "reprice")
    assert again.status_code == 422 and "Nothing would change" in text_of(again)
    assert list(differences()) == []


def test_repricing_touches_this_customer_and_the_chosen_models_alone(
    finance, acme, bob, charlie, now
):
    use_unknown(bob, now, "u")
    use_unknown(charlie, now, "u2")
    record_usage([event(bob, usd="1", at=now)], organization_id=acme.pk, now=now)
    price_it(now)
    other = preview(finance, acme, "reprice", models="claude-sonnet-5")
    assert "Nothing would change" in text_of(other)
    take(finance, acme, "reprice", models="mystery-1")
    assert set(UsageAdjustment.objects.values_list("organization_id", flat=True)) == {
        acme.pk
    }


def test_too_many_events_are_estimated_ticked_and_left_to_a_job(
    finance, dearer, monkeypatch, worker
):
    monkeypatch.setattr(reprice_steps, "MOST_AT_ONCE", 2)
    shown = text_of(preview(finance, dearer, "reprice"))
    assert "3 events are too many for this page: these are the latest 2." in shown
    assert "Yes, for all 3 events, of which 2 were looked at." in shown
    take(finance, dearer, "reprice")
    assert not UsageAdjustment.objects.exists()
    with worker():
        done = take(finance, dearer, "reprice", sure="yes")
    assert "The job has begun." in text_of(done)
    assert UsageAdjustment.objects.get().amount_nanos == usd(-12)
    assert last("usage.reprice_begin").to_value == 3
    ended = last("usage.reprice_end")
    assert ended.to_value == {"events": 3, "adjusted": 1}
    assert ended.reason == "Ticket 8841"
    page = text_of(finance.get(page_url(dearer)))
    assert "3 looked at, 1 adjusted" in page


def test_what_differs_since_the_preview_is_shown_again(finance, dearer, bob, now):
    seen = seen_in(preview(finance, dearer, "reprice"))
    more = ReportedEvent(
        "u3", bob.user.email, "claude", "unheard-of", now, Usage(1_000_000, 0)
    )
    record_usage([more], organization_id=dearer.pk, now=now)
    answer = finance.post(step_url(dearer, "reprice"), {"reason": "x", "seen": seen})
    assert "1 of 4 events" in text_of(answer)
    assert not UsageAdjustment.objects.exists()


def test_nothing_used_is_nothing_to_reprice(finance, acme):
    assert not OrganizationMonth.objects.exists()
    assert "Nothing was used yet." in text_of(finance.get(page_url(acme)))
