"""D2, P2, item 7 of the rules on money: a settlement that changes within a month bills
each event as it was funded, and the pages say so.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from accounts.models import Organization
from billing.books import differences
from billing.documents.closing import close_due
from billing.funding.queries import organization_standing
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.recording import record_usage
from billing.models import Invoice, LedgerEntry, Statement, UsageEvent
from billing.payments import processing
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.balances import balance, turn_on, use_up_included
from tests.factories.people import make_user
from tests.factories.usage import event

CLOSES = dt.datetime(2026, 12, 1, 15, tzinfo=dt.UTC)  # 07:00 in Los Angeles
HOUR = dt.timedelta(hours=1)


def use(bolt, amount, *, at):
    """Mia's extra usage."""
    sent = event("mia@bolt.example", at=at, usd=amount)
    [result] = record_usage([sent], organization_id=bolt.pk, now=at).results
    assert result.funding == "extra_usage"
    return UsageEvent.objects.get(event_id=sent.id)


def change(bolt, settlement):
    """The settlement changes, from the next event on."""
    Organization.objects.filter(pk=bolt.pk).update(settlement=settlement)


@pytest.fixture
def running(bolt, now):
    """$100 bought, auto-reload of $50 at $25."""
    use_up_included(bolt)
    turn_on(bolt, reload=("25", "50"), now=now)
    return bolt


def test_p2_from_prepaid_to_postpaid_each_event_is_billed_as_it_was_funded(
    running, client, now
):
    with time_machine.travel(NOW, tick=False):
        use(running, "30.004", at=now)
        change(running, "postpaid")
    use(running, "90.006", at=now + HOUR)
    assert balance(running) == usd("69.996")  # kept; nothing of the $90 is taken
    assert processing.reload_if_due(running.pk, now=now + HOUR) is None
    close_due(running.pk, now=CLOSES)
    statement, invoice = Statement.objects.get(), Invoice.objects.get()
    assert statement.charges_nanos == -usd("30.004")
    assert statement.closing_nanos == usd("69.996")
    assert invoice.exact_nanos == usd("90.006") and invoice.total_nanos == usd("90.01")
    charges = LedgerEntry.objects.filter(kind="charge")
    assert sum(charges.values_list("amount_nanos", flat=True)) == -usd("30.004")
    assert list(differences()) == []


def test_p2_from_postpaid_to_prepaid_and_back_adds_up_and_the_next_month_is_its_own(
    running, client, now
):
    with time_machine.travel(NOW, tick=False):
        change(running, "postpaid")
        use(running, "10", at=now)
        Organization.objects.filter(pk=running.pk).update(settlement="prepaid")
        use(running, "20", at=now + HOUR)
        Organization.objects.filter(pk=running.pk).update(settlement="postpaid")
        use(running, "40", at=now + 2 * HOUR)
    close_due(running.pk, now=CLOSES)
    assert Statement.objects.get().charges_nanos == -usd(20)
    assert Invoice.objects.get().total_nanos == usd(50)
    assert list(differences()) == []
    use(running, "5", at=CLOSES + HOUR)
    close_due(running.pk, now=CLOSES + dt.timedelta(days=31))
    # December: nothing prepaid, so no statement, though a balance is kept
    assert Statement.objects.count() == 1 and balance(running) == usd(80)
    assert Invoice.objects.get(month_on="2026-12-01").total_nanos == usd(5)
    assert list(differences()) == []


def test_p2_a_correction_after_the_change_goes_where_its_event_was_funded(
    running, client, now
):
    with time_machine.travel(NOW, tick=False):
        before = use(running, "30", at=now)
        change(running, "postpaid")
    after = use(running, "40", at=now + HOUR)
    olga = make_user("olga@example.com", "Olga", is_staff=True, is_superuser=True)
    for one in (before, after):
        adjust_event(
            one, amount_nanos=-usd(3), reason="Outage", operator=olga, now=now + HOUR
        )
    close_due(running.pk, now=CLOSES)
    statement = Statement.objects.get()
    assert statement.charges_nanos + statement.adjustments_nanos == -usd(27)
    assert Invoice.objects.get().total_nanos == usd(37)
    assert list(differences()) == []


def test_the_pages_say_in_such_a_month_what_goes_where(running, client, now):
    with time_machine.travel(NOW, tick=False):
        use(running, "30", at=now)
        client.force_login(running.primary_owner)
        for path in ("billing/", "usage/"):
            page = client.get(f"/o/bolt/settings/{path}").content.decode()
            assert "settlement changed" not in page
        change(running, "postpaid")
        use(running, "40", at=now)
        client.force_login(running.primary_owner)
        for path in ("billing/", "usage/"):
            page = client.get(f"/o/bolt/settings/{path}").content.decode()
            assert "The settlement changed to postpaid in November." in page
            assert "($30.00) was paid from the balance" in page
            assert "($40.00) comes on an invoice" in page
        page = client.get("/o/bolt/settings/billing/").content.decode()
        assert "A prepaid balance of $70.00 is kept from before." in page
    close_due(running.pk, now=CLOSES)
    with time_machine.travel(CLOSES, tick=False):
        client.force_login(running.primary_owner)
        number = Invoice.objects.get().number
        page = client.get(f"/o/bolt/settings/billing/invoices/{number}/")
        assert b"is on the statement:" in page.content
        page = client.get("/o/bolt/settings/billing/statements/2026-11/")
        assert b"is on the invoice:" in page.content


def test_the_pages_say_it_of_a_change_to_prepaid_too(running, client, now):
    Organization.objects.filter(pk=running.pk).update(settlement="postpaid")
    with time_machine.travel(NOW, tick=False):
        use(running, "40", at=now)
        change(running, "prepaid")
        use(running, "30", at=now)
        client.force_login(running.primary_owner)
        page = client.get("/o/bolt/settings/billing/").content.decode()
    assert "The settlement changed to prepaid in November." in page
    assert "($40.00) comes on an invoice after the month" in page
    assert organization_standing(running.pk, now=now).balance_nanos == usd(70)
