"""The billing page, its ledger and CSV, the prepaid parts of Settings › Usage, and who
may see and do what (D3, T2).
"""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
import time_machine
from django.test import Client

from accounts.models import Role
from billing.ledger.actions import roll_up_days
from billing.metering.actions.recording import record_usage
from billing.models import LedgerEntry, Payment, PaymentCard
from billing.payments import processing, tasks
from billing.payments.actions.credits import post_credit
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.balances import (
    buy,
    came_away,
    give_card,
    set_reload,
    turn_on,
    use_up_included,
)
from tests.factories.people import MembershipFactory, make_user
from tests.factories.usage import event
from tests.markup import flat

BILLING, USAGE = "/o/bolt/settings/billing/", "/o/bolt/settings/usage/"


@pytest.fixture(autouse=True)
def _at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def running(bolt, now):
    """$100 bought two days ago, $12.50 used a day ago and rolled up, $3 used today."""
    use_up_included(bolt)
    before = now - dt.timedelta(days=2)
    turn_on(bolt, reload=("25", "50"), now=before)
    for who, amount, at in (("mia", "10", -1), ("max", "2.50", -1), ("mia", "3", 0)):
        moment = now + dt.timedelta(days=at)
        record_usage(
            [event(f"{who}@bolt.example", at=moment, usd=amount)],
            organization_id=bolt.pk,
            now=moment,
        )
    roll_up_days(bolt.pk, now=now)
    return bolt


@pytest.fixture
def owner(running) -> Client:
    """Bea, signed in."""
    client = Client()
    client.force_login(running.primary_owner)
    return client


def html_of(client, path=BILLING, **options):
    """A page's HTML."""
    response = client.get(path, **options)
    assert response.status_code == 200
    return response.content.decode()


def test_t2_the_ledger_shows_each_entry_with_the_balance_after_it_and_what_is_not_booked_yet(
    owner,
):
    html = html_of(owner)
    for words in (
        "$84.50",
        "+$100.00",
        "-$10.00",
        "-$2.50",
        "$87.50",
        "Usage since the last entry",
        "-$3.00",
    ):
        assert words in html, words
    assert (
        html.index("Usage since the last entry")
        < html.index("-$2.50")
        < html.index("+$100.00")
    )


def test_the_ledger_is_filtered_by_kind_and_month(owner):
    bought = html_of(owner, f"{BILLING}?kind=purchase")
    assert (
        "+$100.00" in bought
        and "-$10.00" not in bought
        and "Usage since the last entry" not in bought
    )
    assert "No entries match." in html_of(owner, f"{BILLING}?month=2026-10")
    assert "+$100.00" in html_of(owner, f"{BILLING}?kind=nonsense&month=20x6")


def test_the_csv_is_the_filtered_ledger_oldest_first_and_exact(owner, running):
    response = owner.get(f"{BILLING}ledger.csv")
    rows = list(
        csv.reader(
            io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))
        )
    )
    assert [row[2] for row in rows[1:]] == ["purchase", "charge", "charge"]
    assert (
        rows[2][5:] == ["-10.000000000", "90.000000000"] and rows[2][4] == "2026-11-22"
    )
    only = owner.get(f"{BILLING}ledger.csv?kind=purchase")
    assert b"".join(only.streaming_content).decode().count("\n") == 2
    assert sum(usd(row[5]) for row in rows[1:]) == usd("87.50")


def test_every_charge_leads_to_the_events_behind_it_whose_sum_it_is(
    owner, running, now
):
    charge = LedgerEntry.objects.get(membership__user__email="mia@bolt.example")
    html = html_of(owner, f"{BILLING}ledger/{charge.pk}/")
    # the entry, its sum, the event
    assert "Sum of 1 event" in html and html.count("$10.000000000") == 3
    late = now - dt.timedelta(days=1, minutes=5)
    record_usage(
        [event("mia@bolt.example", id="late", at=late, usd="1")],
        organization_id=running.pk,
        now=now,
    )
    roll_up_days(running.pk, now=now)
    second = LedgerEntry.objects.filter(
        membership__user__email="mia@bolt.example"
    ).first()
    html = html_of(owner, f"{BILLING}ledger/{second.pk}/")
    assert (
        "late" in html
        and "Sum of 1 event" in html
        and "$10.000000000" not in html.split("Events")[1]
    )


def test_the_queries_of_the_page_do_not_grow_with_its_rows(
    owner, running, now, django_assert_max_num_queries
):
    with django_assert_max_num_queries(45):
        html_of(owner)
    for number in range(30):
        buy(running, f"{10 + number}", now=now)
    with django_assert_max_num_queries(45):
        html_of(owner)


def test_d3_admins_see_the_balance_but_neither_billing_nor_its_buttons(running, acme):
    admin = make_user("ann@bolt.example", "Ann")
    MembershipFactory(organization=running, user=admin, base_role=Role.ADMIN)
    client = Client()
    client.force_login(admin)
    html = html_of(client, USAGE)
    assert (
        "$84.50" in html
        and "Buy extra usage" not in html
        and "Edit auto-reload" not in html
    )
    for path in (
        BILLING,
        f"{BILLING}buy/",
        f"{BILLING}auto-reload/",
        f"{BILLING}card/",
        f"{BILLING}ledger.csv",
    ):
        assert client.get(path).status_code == 403, path
    assert (
        client.post(f"{BILLING}buy/", {"amount": "50", "key": "a" * 32}).status_code
        == 403
    )


def test_d1_entries_and_payments_of_others_are_not_found(owner, acme, running, charlie):
    stranger = Client()
    stranger.force_login(charlie.user)
    entry = LedgerEntry.objects.first()
    assert stranger.get(f"{BILLING}ledger/{entry.pk}/").status_code == 404
    assert (
        stranger.get(f"/o/umbrella/settings/billing/ledger/{entry.pk}/").status_code
        == 404
    )
    payment = Payment.objects.first()
    assert (
        stranger.get(
            f"/o/umbrella/settings/billing/payments/{payment.key}/back/"
        ).status_code
        == 404
    )
    assert owner.get(f"{BILLING}ledger/{2**63}/").status_code == 404


def test_buying_in_the_modal_says_the_new_balance(owner):
    answer = owner.post(
        f"{BILLING}buy/",
        {"amount": "20", "key": "b" * 32},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 204 and "balanceChanged" in answer["HX-Trigger"]
    assert "$20.00 bought. The balance is now $104.50." in answer["HX-Trigger"]
    again = owner.post(
        f"{BILLING}buy/",
        {"amount": "20", "key": "b" * 32},
        headers={"HX-Request": "true"},
    )
    assert again.status_code == 204 and Payment.objects.count() == 2


def test_t5_a_declined_reload_is_told_on_the_page_with_the_next_try(
    owner, running, now
):
    give_card(running, "declines", now=now)
    record_usage(
        [event("mia@bolt.example", at=now, usd="70")],
        organization_id=running.pk,
        now=now,
    )
    processing.reload_if_due(running.pk, now=now)
    html = html_of(owner, USAGE)
    for words in (
        "Visa 0341 was declined at 11:28 today.",
        "Next attempt: 12:28 today.",
        "Paused: card declined",
        "Change card",
        "Next attempt: 12:28 today. Last attempt: Tue 24 Nov, 11:28; then "
        "auto-reload turns off.",
    ):
        assert words in html, words
    assert "On track" not in html  # never beside a declined card


def test_the_banner_leads_back_to_the_page_also_after_it_was_fetched_by_itself(
    owner, running, now
):
    give_card(running, "declines", now=now)
    record_usage(
        [event("mia@bolt.example", at=now, usd="70")],
        organization_id=running.pk,
        now=now,
    )
    processing.reload_if_due(running.pk, now=now)
    asked = owner.get(f"{USAGE}balance/", headers={"HX-Request": "true"})
    part = asked.content.decode()
    assert (
        f"card/?then={USAGE}" in part
        and "then=/o/bolt/settings/usage/balance/" not in part
    )


def test_t5_after_the_last_try_another_card_ends_the_warning_and_reminds_of_auto_reload(
    owner, running, now
):
    give_card(running, "declines", now=now)
    record_usage(
        [event("mia@bolt.example", at=now, usd="70")],
        organization_id=running.pk,
        now=now,
    )
    for hours in (0, 2, 8, 32):
        processing.reload_if_due(running.pk, now=now + dt.timedelta(hours=hours))
    assert "That was the last attempt, so auto-reload is off." in html_of(owner, USAGE)
    away = came_away(owner, running)
    back = owner.get(
        f"{BILLING}card/back/?session=card_succeeds_4242&then={USAGE}{away}",
        follow=True,
    ).content.decode()
    assert (
        "Auto-reload is still off. Turn it back on" in back
        and "That was the last attempt" not in back
    )


def test_t4_auto_reload_without_a_card_says_so_instead_of_promising_a_reload(
    owner, running, now
):
    PaymentCard.objects.update(
        gateway="stripe"
    )  # a card of another gateway is none here
    record_usage(
        [event("mia@bolt.example", at=now, usd="70")],
        organization_id=running.pk,
        now=now,
    )
    html = html_of(owner, USAGE)
    assert (
        "On, but there is no card to charge" in html
        and "Nothing will be bought until a card is added." in html
    )
    assert "next reload" not in html and "unless the balance is reloaded" in html
    assert 'Auto-reload<span class="xu-pill xu-pill--stop">On, but' in flat(html)


def test_a_credit_that_lifts_the_balance_ends_the_warning(owner, running, now):
    give_card(running, "declines", now=now)
    record_usage(
        [event("mia@bolt.example", at=now, usd="70")],
        organization_id=running.pk,
        now=now,
    )
    processing.reload_if_due(running.pk, now=now)
    post_credit(
        running,
        amount_nanos=usd(50),
        reason="Sorry",
        operator=running.primary_owner,
        now=now,
    )
    html = html_of(owner, USAGE)
    assert "was declined" not in html and "Paused: card declined" not in html


def test_d2_a_prepaid_usage_based_plan_is_always_on_and_can_buy(bolt):
    type(bolt).objects.filter(pk=bolt.pk).update(plan="enterprise_usage")
    client = Client()
    client.force_login(bolt.primary_owner)
    html = html_of(client, USAGE)
    assert "Buy extra usage" in html and "$0.00" in html


def test_e2_a_balance_that_is_gone_is_the_verdict_and_members_read_why(
    owner, running, now
):
    paying_off = {"enabled": "", "threshold": "", "amount": ""}
    owner.post(f"{BILLING}auto-reload/", paying_off)
    record_usage(
        [event("mia@bolt.example", at=now, usd="90")],
        organization_id=running.pk,
        now=now,
    )
    html = html_of(owner, USAGE)
    assert "Extra usage is paused for all 3 people: the balance is used up." in html
    assert "Paused: balance used up" in html and "-$5.50" in html
    mia = Client()
    mia.force_login(running.memberships.get(user__email="mia@bolt.example").user)
    assert "balance" in html_of(mia, "/o/bolt/usage/")


def test_t4_a_reached_monthly_limit_is_told_on_the_page(owner, running, now):
    set_reload(running, "25", "50", limit="50", now=now)
    for amount in ("60", "50"):
        record_usage(
            [event("mia@bolt.example", at=now, usd=amount)],
            organization_id=running.pk,
            now=now,
        )
        tasks.reload_if_due(running.pk)
    html = html_of(owner, USAGE)
    assert (
        "The monthly reload limit of $50.00 has been reached. Auto-reload resumes on "
        "Tue 1 Dec" in html
    )
    assert "Paused: monthly limit reached" in html
    # The part that refreshes by itself says the same.
    assert "Auto-reload resumes on Tue 1 Dec" in html_of(
        owner, f"{USAGE}balance/", headers={"HX-Request": "true"}
    )


def test_an_unknown_payment_is_told_and_the_form_refuses_another(owner, running, now):
    give_card(running, "timeout_paid", now=now)
    answer = owner.post(
        f"{BILLING}buy/",
        {"amount": "20", "key": "c" * 32},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 204 and "is being settled" in answer["HX-Trigger"]
    assert "A payment of $20.00 is being settled." in html_of(owner)
    second = owner.post(
        f"{BILLING}buy/",
        {"amount": "20", "key": "d" * 32},
        headers={"HX-Request": "true"},
    )
    assert (
        second.status_code == 422
        and "so that nothing is charged twice" in second.content.decode()
    )


def test_auto_reload_is_set_in_its_modal_with_errors_at_the_fields(owner, running):
    url = f"{BILLING}auto-reload/"
    wrong = owner.post(
        url, {"enabled": "on", "threshold": "25", "amount": "50", "limit": "40"}
    )
    assert (
        wrong.status_code == 422
        and "$40.00 a month is not enough for a single reload of $50.00."
        in wrong.content.decode()
    )
    right = owner.post(
        url,
        {"enabled": "on", "threshold": "30", "amount": "60"},
        headers={"HX-Request": "true"},
    )
    assert right.status_code == 204
    html = html_of(owner, USAGE)
    assert (
        "Reload when balance reaches <b>$30.00</b>. Reload amount <b>$60.00</b>."
        in html
    )


def test_the_page_of_an_organization_billed_afterwards_has_no_balance(acme, alice):
    client = Client()
    client.force_login(alice.user)
    html = html_of(client, "/o/acme/settings/billing/")
    assert (
        "is billed for its extra usage after each month" in html
        and "Ledger" not in html
    )


def test_test_cards_are_told_from_real_ones_and_nobody_is_led_elsewhere(owner):
    page = (
        f"{BILLING}test-gateway/card/?back=https://evil.example/&cancel=//evil.example/"
    )
    wrong = owner.post(page, {"number": "5105 1051 0510 5100"})
    assert wrong.status_code == 422 and "is not a test card" in wrong.content.decode()
    assert (
        'href="/"' in wrong.content.decode()
        and '//evil.example/"' not in wrong.content.decode().split("</main")[0]
    )
    assert owner.post(page, {"number": "4242424242424242"})["Location"].startswith(
        "/?session="
    )
    assert (
        "declines this card"
        in owner.post(page, {"number": "4000000000000002"}).content.decode()
    )


def test_t6_with_stripe_there_is_no_test_gateway(owner, settings):
    settings.PAYMENT_GATEWAY = "stripe"
    assert owner.get(f"{BILLING}test-gateway/card/").status_code == 404
    assert owner.get(f"{BILLING}test-gateway/bank/{'a' * 32}/").status_code == 404


@pytest.mark.parametrize(
    "session", ["?session=card_refused_0002&", "?session=card&", "?session=&", "?"]
)
def test_t6_a_made_up_session_or_none_is_no_card(owner, bolt, session):
    away = came_away(owner, bolt)
    answer = owner.get(
        f"{BILLING}card/back/{session}then=//evil.example/{away}", follow=True
    )
    assert answer.redirect_chain[-1][0] == BILLING
    assert "No card was entered." in answer.content.decode()


def test_on_its_first_day_of_use_a_balance_does_not_say_that_nothing_was_used(
    bolt, now
):
    use_up_included(bolt)
    turn_on(bolt, now=now)
    client = Client()
    client.force_login(bolt.primary_owner)
    assert "no extra usage yet this month" in html_of(client, USAGE)
    record_usage(
        [event("mia@bolt.example", at=now, usd="3")], organization_id=bolt.pk, now=now
    )
    page = html_of(client, USAGE)
    assert (
        "too early to say how long it lasts" in page
        and "no extra usage yet" not in page
    )


def test_a_team_of_people_without_seats_is_led_to_the_members_page(bolt, now):
    turn_on(bolt, now=now)
    bolt.memberships.exclude(user__email="mia@bolt.example").update(seat_tier=None)
    client = Client()
    client.force_login(bolt.primary_owner)
    assert "1 of 3 people" in html_of(client, USAGE)
    bolt.memberships.update(seat_tier=None)
    page = html_of(client, USAGE)
    assert (
        "no one has it yet" in page
        and '<a class="xu-link" href="/o/bolt/settings/members/">' in flat(page)
    )
