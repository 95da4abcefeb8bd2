"""What operators do with a customer's balance and purchases are steps; their mistakes are
stopped, or said, at the preview.
"""

from __future__ import annotations

import re

import pytest

from accounts.models import AuditEntry
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, LedgerEntry, Payment, Refund, SandboxRefund
from billing.payments import processing
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
from tests.factories.balances import (
    balance,
    buy,
    give_card,
    make_bolt,
    set_reload,
    turn_on,
    use_up_included,
)
from tests.factories.usage import event

STEPS = ("credit", "deduct", "refund", "ask-gateway")


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def finance(db):
    """Acts on money."""
    return signed_in("Finance")


@pytest.fixture
def bolt(now, db):
    """Prepaid: $100 bought, $30 of it used, extra usage on for three people."""
    made = make_bolt(now=now)
    use_up_included(made)
    turn_on(made, now=now)
    sent = event("mia@bolt.example", at=now, usd="30")
    record_usage([sent], organization_id=made.pk, now=now)
    return made


def last(action: str) -> AuditEntry:
    """The latest change of a kind."""
    return AuditEntry.objects.filter(action=action).latest("pk")


def spend(bolt, amount, now):
    """Mia uses an amount."""
    sent = event("mia@bolt.example", at=now, usd=amount)
    record_usage([sent], organization_id=bolt.pk, now=now)


# -- Credit and deduct ------------------------------------------------------------------


def test_a_credit_is_booked_after_a_preview_of_the_balance(finance, bolt):
    typed = {"amount": "25", "key": new_key()}
    shown = text_of(preview(finance, bolt, "credit", **typed))
    assert "Bolt would get $25.00." in shown and "$70.00 → $95.00" in shown
    assert balance(bolt) == usd(70)
    done = text_of(take(finance, bolt, "credit", **typed))
    assert "$25.00 is booked; the balance of Bolt is $95.00." in done
    entry = last("balance.credit")
    assert (entry.subject, entry.actor.name) == ("Ticket 8841", "Finance")
    assert (entry.from_value, entry.to_value) == (usd(70), usd(95))
    assert list(differences()) == []


def test_a_credit_says_who_can_go_on_and_that_auto_reload_waits(finance, bolt, now):
    set_reload(bolt, "10", "50", now=now)
    spend(bolt, "75", now)
    typed = {"amount": "25", "key": new_key()}
    shown = text_of(preview(finance, bolt, "credit", **typed))
    assert "-$5.00 → $20.00" in shown
    assert "3 people can go on with extra usage at once." in shown
    assert "Auto-reload charges nothing until the balance is down to $10.00" in shown


def test_a_deduction_says_who_stops_what_is_owed_and_is_ticked(finance, bolt):
    typed = {"amount": "100", "key": new_key()}
    shown = text_of(preview(finance, bolt, "deduct", **typed))
    assert "$70.00 → -$30.00" in shown
    assert "3 people can't go on with extra usage until an owner buys some." in shown
    assert "The balance is -$30.00 then: the next purchase pays that first" in shown
    take(finance, bolt, "deduct", **typed)
    assert balance(bolt) == usd(70)
    take(finance, bolt, "deduct", **typed, sure="yes")
    assert balance(bolt) == usd(-30)


def test_a_deduction_says_that_auto_reload_charges_the_card(finance, bolt, now):
    set_reload(bolt, "50", "200", now=now)
    typed = {"amount": "30", "key": new_key()}
    shown = text_of(preview(finance, bolt, "deduct", **typed))
    assert "Auto-reload charges the card $200.00 within minutes" in shown


def test_a_credit_of_a_million_is_ticked_first_and_more_is_refused(finance, bolt):
    typed = {"amount": "1,000,000", "key": new_key()}
    done = text_of(take(finance, bolt, "credit", **typed))
    assert "Yes, $1,000,000.00: more than $10,000.00, the most that is usual." in done
    assert balance(bolt) == usd(70)
    more = preview(finance, bolt, "credit", amount="1,000,000.01", key=new_key())
    assert more.status_code == 422 and "over the maximum" in text_of(more)
    take(finance, bolt, "credit", **typed, sure="yes")
    assert balance(bolt) == usd(1_000_070)


def test_a_credit_beyond_ten_purchases_is_ticked_first(finance, bolt):
    usual = preview(finance, bolt, "credit", amount="1000", key=new_key())
    assert 'name="sure"' not in text_of(usual)
    shown = text_of(preview(finance, bolt, "credit", amount="1000.01", key=new_key()))
    assert "more than ten times the largest purchase, $100.00." in shown


def test_a_credit_where_nothing_was_bought_is_ticked_above_a_thousand(finance, bolt):
    Payment.objects.update(status=Payment.Status.DECLINED)
    shown = text_of(preview(finance, bolt, "credit", amount="1000.01", key=new_key()))
    assert "though nothing was ever bought" in shown


def test_an_amount_of_nothing_is_refused(finance, bolt):
    for name in ("credit", "deduct"):
        shown = preview(finance, bolt, name, amount="0", key=new_key())
        assert shown.status_code == 422 and "other than zero" in text_of(shown)


def test_a_customer_that_is_billed_afterwards_has_no_balance(finance, acme):
    page = text_of(finance.get(page_url(acme)))
    assert "There is no balance: months are billed afterwards." in page
    shown = preview(finance, acme, "credit", amount="5", key=new_key())
    assert shown.status_code == 422 and not LedgerEntry.objects.exists()


@pytest.mark.parametrize("name", ["credit", "deduct"])
def test_pressed_twice_it_is_one_entry_and_the_second_says_so(finance, bolt, name):
    typed = {"amount": "20", "key": new_key()}
    seen = seen_in(preview(finance, bolt, name, **typed))
    sent = {**typed, "reason": "x", "seen": seen}
    for _press in range(3):
        answer = finance.post(step_url(bolt, name), sent, follow=True)
    assert "was booked already by this form; nothing was booked twice." in text_of(
        answer
    )
    assert LedgerEntry.objects.filter(reason="x").count() == 1
    typing = finance.post(step_url(bolt, name), sent, headers={"HX-Request": "true"})
    assert "booked already" in text_of(typing)
    other = finance.post(step_url(bolt, name), {**sent, "amount": "21"})
    assert "already used to book" in text_of(other)
    assert LedgerEntry.objects.filter(reason="x").count() == 1


def test_the_balance_moved_since_the_preview_shows_it_again(finance, bolt, now):
    typed = {"amount": "20", "key": new_key()}
    seen = seen_in(preview(finance, bolt, "credit", **typed))
    spend(bolt, "1", now)
    sent = {**typed, "reason": "x", "seen": seen}
    answer = finance.post(step_url(bolt, "credit"), sent)
    assert "$69.00 → $89.00" in text_of(answer) and balance(bolt) == usd(69)


def test_a_credit_is_taken_back_by_a_deduction_once_and_the_other_way_round(
    finance, bolt
):
    take(finance, bolt, "credit", amount="20", key=new_key())
    [undo] = undo_links(finance, bolt, "deduct")
    form = finance.get(undo)
    typed = {"amount": "20.00", "key": key_in(form)}
    take(finance, bolt, "deduct", **typed, reason="Undo")
    assert balance(bolt) == usd(70)
    assert undo_links(finance, bolt, "deduct") == []
    answer = text_of(take(finance, bolt, "deduct", **typed, reason="Undo"))
    assert "nothing was booked twice" in answer and balance(bolt) == usd(70)
    [undo] = undo_links(finance, bolt, "credit")
    assert 'value="20.00"' in text_of(finance.get(undo))


def undo_links(client, organization, name) -> list[str]:
    """Where the customer's page takes back what is in the audit."""
    page = text_of(client.get(page_url(organization)))
    links = re.findall(r'href="([^"]+)">Undo<', page)
    return [link for link in links if f"/steps/{name}/" in link]


def key_in(answer) -> str:
    """The key of a form."""
    [key] = re.findall(r'name="key" value="([0-9a-f]{32})"', text_of(answer))
    return key


# -- Refund -----------------------------------------------------------------------------


def test_a_refund_says_which_card_gets_what_and_what_is_left(finance, bolt):
    payment = Payment.objects.get()
    typed = {"payment": payment.pk, "amount": "60", "key": new_key()}
    shown = text_of(preview(finance, bolt, "refund", **typed))
    for words in (
        f"$60.00 would go back to {payment.card_label}.",
        "$70.00 → $10.00",
        "Unused of it",
        "Balance",
    ):
        assert words in shown, words
    done = text_of(take(finance, bolt, "refund", **typed))
    assert "Refund of $60.00, Refunded." in done
    assert balance(bolt) == usd(10) and SandboxRefund.objects.get().amount_cents == 6000
    assert last("balance.refund").subject == "Ticket 8841"
    assert list(differences()) == []


def test_an_empty_amount_refunds_all_that_is_unused(finance, bolt):
    typed = {"payment": Payment.objects.get().pk, "amount": "", "key": new_key()}
    assert "$70.00 would go back" in text_of(preview(finance, bolt, "refund", **typed))
    take(finance, bolt, "refund", **typed)
    assert balance(bolt) == 0


def test_a_refund_twice_is_seen_by_the_second_and_nothing_is_doubled(finance, bolt):
    payment = Payment.objects.get()
    first = {"payment": payment.pk, "amount": "40", "key": new_key()}
    second = {**first, "key": new_key()}
    seen = seen_in(preview(finance, bolt, "refund", **second))
    take(finance, bolt, "refund", **first, reason="First")
    again = finance.post(
        step_url(bolt, "refund"), {**second, "reason": "Second", "seen": seen}
    )
    assert again.status_code == 422
    assert "$30.00 of this purchase is unused" in text_of(again)
    assert "$40.00 of it was already refunded" in text_of(again)
    smaller = preview(
        finance, bolt, "refund", payment=payment.pk, amount="10", key=new_key()
    )
    assert "Refunded before" in text_of(smaller)
    assert "$40.00, Finance, First" in text_of(smaller)
    assert Refund.objects.count() == SandboxRefund.objects.count() == 1


def test_the_same_press_of_a_refund_again_says_that_it_is_done(finance, bolt):
    payment = Payment.objects.get()
    typed = {"payment": payment.pk, "amount": "", "key": new_key()}
    take(finance, bolt, "refund", **typed)
    again = take(finance, bolt, "refund", **typed)
    assert "It was refunded already by this form: $70.00, Refunded." in text_of(again)
    assert Refund.objects.count() == 1


def test_a_refund_that_switches_auto_reload_off_says_so(finance, bolt, now):
    set_reload(bolt, "25", "50", now=now)
    typed = {"payment": Payment.objects.get().pk, "amount": "45", "key": new_key()}
    shown = text_of(preview(finance, bolt, "refund", **typed))
    assert "On → Off" in shown and "it would charge the card again at once" in shown
    done = text_of(take(finance, bolt, "refund", **typed))
    assert "Auto-reload is now off." in done
    assert not BillingAccount.objects.get(organization=bolt).auto_reload_enabled
    entry = last("balance.auto_reload")
    assert (entry.actor.name, entry.to_value) == ("Finance", {"auto_reload": False})
    assert processing.reload_if_due(bolt.pk, now=now) is None


def test_a_refund_that_stays_above_the_threshold_leaves_auto_reload_on(
    finance, bolt, now
):
    set_reload(bolt, "25", "50", now=now)
    typed = {"payment": Payment.objects.get().pk, "amount": "44.99", "key": new_key()}
    assert "On → Off" not in text_of(preview(finance, bolt, "refund", **typed))
    take(finance, bolt, "refund", **typed)
    assert BillingAccount.objects.get(organization=bolt).auto_reload_enabled


def test_no_purchase_of_another_customer_is_refunded(finance, bolt, acme):
    typed = {"payment": Payment.objects.get().pk, "key": new_key()}
    shown = preview(finance, acme, "refund", **typed)
    assert shown.status_code == 422 and not seen_in(shown)
    assert "Nothing was bought yet." in text_of(finance.get(page_url(acme)))


def test_the_old_address_of_a_refund_leads_to_the_step(finance, support, bolt):
    payment = Payment.objects.get()
    old = f"/admin/billing/payment/{payment.pk}/refund/"
    assert support.get(old).status_code == 403
    page = finance.get(old, follow=True)
    assert (
        page.redirect_chain[0][0] == f"{step_url(bolt, 'refund')}?payment={payment.pk}"
    )
    assert f'value="{payment.pk}"' in text_of(page) and "checked" in text_of(page)


# -- Ask the gateway --------------------------------------------------------------------


def test_a_payment_without_an_answer_is_asked_about(finance, bolt, now):
    payment = buy(bolt, "50", now=now)
    Payment.objects.filter(pk=payment.pk).update(
        status=Payment.Status.STARTED, settled_at=None
    )
    before = balance(bolt)
    shown = text_of(preview(finance, bolt, "ask-gateway", payment=payment.pk))
    assert "The gateway would be asked what became of $50.00." in shown
    assert Payment.objects.get(pk=payment.pk).status == Payment.Status.STARTED
    assert balance(bolt) == before


def test_a_payment_with_its_answer_is_not_asked_about(finance, bolt):
    shown = preview(finance, bolt, "ask-gateway", payment=Payment.objects.get().pk)
    assert shown.status_code == 422 and "It has its answer: Paid." in text_of(shown)
    page = text_of(finance.get(page_url(bolt)))
    assert "No payment waits for an answer." in page


def test_what_the_gateway_answers_is_booked_and_kept(finance, bolt, now):
    give_card(bolt, "timeout_paid", now=now)
    payment = buy(bolt, "50", now=now)
    assert payment.status == Payment.Status.STARTED
    done = text_of(take(finance, bolt, "ask-gateway", payment=payment.pk))
    assert "The gateway says: Paid." in done
    assert balance(bolt) == usd(120)
    entry = last("balance.asked")
    assert (entry.reason, entry.to_value["after"]) == ("Ticket 8841", "succeeded")


# -- Roles, and the ways there ----------------------------------------------------------


@pytest.mark.parametrize("name", STEPS)
def test_support_reads_and_takes_none(support, finance, bolt, name):
    assert support.get(step_url(bolt, name)).status_code == 403
    assert support.post(step_url(bolt, name), {}).status_code == 403
    assert finance.get(step_url(bolt, name)).status_code == 200


def test_buttons_are_there_for_those_who_may_alone(support, finance, bolt):
    payment, entry = Payment.objects.get(), LedgerEntry.objects.first()
    for address, step in (
        (
            f"/admin/billing/payment/{payment.pk}/change/",
            f"refund/?payment={payment.pk}",
        ),
        (f"/admin/billing/ledgerentry/{entry.pk}/change/", "credit/"),
        (page_url(bolt), f"refund/?payment={payment.pk}"),
        (page_url(bolt), "deduct/"),
    ):
        assert f"/steps/{step}" in text_of(finance.get(address)), address
        assert f"/steps/{step}" not in text_of(support.get(address)), address


def test_there_is_no_second_way_without_a_preview(finance):
    for table in ("ledgerentry", "usageadjustment"):
        assert finance.get(f"/admin/billing/{table}/add/").status_code == 403
        assert finance.post(f"/admin/billing/{table}/add/", {}).status_code == 403


def test_a_refund_by_the_step_and_by_the_act_are_the_same(finance, bolt, now):
    payment = Payment.objects.get()
    operator = payment.organization.primary_owner
    processing.refund(
        payment, amount_nanos=usd(10), reason="a", operator=operator, now=now
    )
    typed = {"payment": payment.pk, "amount": "", "key": new_key()}
    assert "$60.00 would go back" in text_of(preview(finance, bolt, "refund", **typed))
