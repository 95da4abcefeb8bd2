"""What a seat includes is set in dollars and hours and taken away by steps that say whom
it hits.
"""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from billing.metering.actions.recording import record_usage
from billing.models import SeatAllowance
from config.kit.money import usd
from tests.billing.prices.conftest import look, press, take, undo_links, url_of
from tests.customer.conftest import text_of
from tests.factories.usage import enable_extra_usage, event

SESSION = {"plan": "enterprise_seat", "seat_tier": "standard", "name": "session"}


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def row(acme) -> SeatAllowance:
    """What Bob's and Ada's seats include in a session."""
    return SeatAllowance.objects.get(**SESSION)


def typed(amount="5", hours="5"):
    return {"amount_nanos": amount, "length_seconds": hours}


def test_the_form_has_dollars_and_hours(administrator, row):
    page = administrator.get(url_of("seatallowance_set", **SESSION))
    assert page.context["form"]["length_seconds"].value() == "5"
    assert (
        page.context["form"]["amount_nanos"].value()
        == f"{row.amount_nanos // 10**9}.00"
    )
    words = re.sub(r"<[^>]+>", "", text_of(page).split("<form")[1])
    assert "nano" not in words and "seconds" not in words


def test_it_is_previewed_with_the_people_and_set(administrator, row):
    shown = text_of(
        look(administrator, "seatallowance_set", SESSION, **typed("9", "6"))
    )
    assert "→ $9.00" in shown and "5 h → 6 h" in shown
    assert "2 people in 1 organization" in shown
    take(administrator, "seatallowance_set", SESSION, **typed("9", "6"))
    row.refresh_from_db()
    assert (row.amount_nanos, row.length_seconds) == (usd(9), 6 * 3600)
    entry = AuditEntry.objects.get(action="allowance.edit", organization=None)
    assert entry.reason == "Ticket 8841"
    [link] = undo_links(administrator)
    assert administrator.get(link).context["form"]["length_seconds"].value() == "5"


@pytest.fixture
def spent(acme, bob, now):
    """Bob used $0.60 of his session."""
    record_usage([event(bob, usd="0.60", at=now)], organization_id=acme.pk, now=now)


def test_less_than_people_used_must_be_ticked_and_says_who_stops(
    administrator, row, spent
):
    sent = typed("0.50")
    answer = take(administrator, "seatallowance_set", SESSION, **sent)
    assert "1 person has used more already: nothing included is left." in text_of(
        answer
    )
    assert "1 would be stopped at once: no extra usage." in text_of(answer)
    row.refresh_from_db()
    assert row.amount_nanos != usd("0.50")
    take(administrator, "seatallowance_set", SESSION, sure="yes", **sent)
    row.refresh_from_db()
    assert row.amount_nanos == usd("0.50")


def test_who_has_extra_usage_moves_to_it(administrator, acme, row, spent):
    enable_extra_usage(acme)
    shown = text_of(look(administrator, "seatallowance_set", SESSION, **typed("0.50")))
    assert "1 would move to extra usage, up to the caps." in shown


def test_somebody_who_used_more_since_the_preview_is_shown_again(
    administrator, acme, bob, row, now
):
    sent = typed("0.50")
    shown = look(administrator, "seatallowance_set", SESSION, **sent)
    record_usage([event(bob, usd="0.60", at=now)], organization_id=acme.pk, now=now)
    again = press(
        administrator, "seatallowance_set", SESSION, shown, sure="yes", **sent
    )
    assert "1 person has used more already" in text_of(again)
    row.refresh_from_db()
    assert row.amount_nanos != usd("0.50")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("length_seconds", "18000", "can't last “18000” hours"),
        ("length_seconds", "0", "can't last “0” hours"),
        ("length_seconds", "-5", "can't last “-5” hours"),
        ("length_seconds", "5 h", "can't last “5 h” hours"),
        ("amount_nanos", "48000000000", "over the maximum of $1,000,000.00"),
        ("amount_nanos", "-1", "below zero"),
        ("amount_nanos", "1e30", "is not an amount"),
    ],
)
def test_seconds_and_nano_dollars_are_refused_at_their_field(
    administrator, row, field, value, says
):
    sent = typed() | {field: value}
    shown = look(administrator, "seatallowance_set", SESSION, **sent)
    [sentence] = shown.context["form"].errors[field]
    assert says in sentence


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (typed("5", "168"), "A window would last 168 h instead of 5 h."),
        (typed("0"), "A seat would include $0.00 in 5 h."),
        (typed("100000"), "A seat would include $100,000.00 in 5 h."),
    ],
)
def test_an_unusual_allowance_must_be_ticked(administrator, row, sent, says):
    answer = take(administrator, "seatallowance_set", SESSION, **sent)
    assert says in text_of(answer)
    before = row.amount_nanos
    row.refresh_from_db()
    assert (row.amount_nanos, row.length_seconds) == (before, 5 * 3600)


def test_taking_one_away_says_what_is_left(administrator, row):
    page = administrator.get(url_of("seatallowance_end", **SESSION))
    assert "$1.00 in 5 h → nothing" in text_of(page), "to read at once"
    asks = take(administrator, "seatallowance_end", SESSION)
    assert "Only this limits included usage then: Week." in text_of(asks)
    assert SeatAllowance.objects.filter(pk=row.pk).exists(), "not ticked"
    take(administrator, "seatallowance_end", SESSION, sure="yes")
    assert not SeatAllowance.objects.filter(pk=row.pk).exists()
    entry = AuditEntry.objects.filter(action="allowance.edit", organization=None).get()
    assert entry.to_value is None and entry.from_value["amount_nanos"]


def test_taking_the_last_away_says_how_many_have_none(administrator, acme, row):
    SeatAllowance.objects.filter(**{**SESSION, "name": "week"}).delete()
    shown = text_of(look(administrator, "seatallowance_end", SESSION))
    assert "2 people would have no included usage." in shown
    take(administrator, "seatallowance_end", SESSION, sure="yes")
    [link] = undo_links(administrator)
    assert link.startswith(url_of("seatallowance_set"))
    again = administrator.get(link).context["form"]
    assert again["length_seconds"].value() == "5"
    sent = {name: again[name].value() for name in (*SESSION, *typed())}
    take(administrator, "seatallowance_set", {}, **sent)
    assert SeatAllowance.objects.filter(**SESSION).exists()


def test_one_that_is_not_there_is_said(administrator, row):
    row.delete()
    shown = text_of(look(administrator, "seatallowance_end", SESSION))
    assert "includes nothing in that window" in shown
    assert administrator.get(reverse("admin:billing_seatallowance_changelist"))
