"""P2, fault 1: a close that came too early is taken back by an operator's command, which
says what it does; documents stay, numbers are never given out twice, the books are clean.
"""

from __future__ import annotations

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry, User
from billing.books import differences
from billing.documents import tasks
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.actions.gateway_answers import invoice_key, take_paid_invoice
from billing.documents.actions.reopening import reopen_month
from billing.documents.actions.settling import mark_paid
from billing.documents.closing import close_due
from billing.documents.queries.documents import statements_of
from billing.documents.queries.months import organizations_to_close
from billing.documents.queries.usage_behind import events_behind, events_of_invoice
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    BillingMonth,
    Invoice,
    MonthReopening,
    Statement,
    UsageEvent,
)
from billing.payments.gateways.base import GatewayEvent
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.balances import turn_on
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.people import make_cast
from tests.factories.usage import event

NOVEMBER, DECEMBER = dt.date(2026, 11, 1), dt.date(2026, 12, 1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def closed(acme, now, time_machine):
    """Acme, whose November was closed on the 23rd by a clock that was ahead."""
    use_november(acme, at=now)
    close_november(acme)
    time_machine.move_to(now + MINUTE, tick=False)
    return acme


@pytest.fixture
def operator(db):
    """Somebody of ours."""
    return User.objects.create_superuser("operator@example.com", password="x")


def reopen(slug="acme", month="2026-11", *words):
    """What the command prints."""
    out = StringIO()
    call_command("reopen_month", slug, month, *words, stdout=out)
    return out.getvalue()


def closed_through(organization):
    return BillingAccount.objects.get(organization=organization).frozen_through_on


def test_fault_1_without_yes_it_says_what_it_would_do_and_changes_nothing(
    closed, bob, now
):
    use(closed, "bob", "3", at=now + MINUTE, id="since")
    said = reopen()
    assert "Invoice ACME-0001 ($44.34) becomes void. Its number is not given" in said
    assert "closes anew from 2026-12-01 11:00 UTC" in said
    assert "1 events reported since the close (extra usage $3.000000000) stay" in said
    assert said.endswith("Nothing was changed. Do it with --yes.\n")
    assert closed_through(closed) == NOVEMBER
    assert Invoice.objects.get().status == "open"
    assert not MonthReopening.objects.exists()


def test_fault_1_reopened_the_month_takes_usage_again_and_closes_whole(
    closed, bob, now
):
    use(closed, "bob", "3", at=now + MINUTE, id="since")
    assert "is open again" in reopen("acme", "2026-11", "--yes", "--reason", "Clock")
    assert closed_through(closed) == dt.date(2026, 10, 1)
    use(closed, "bob", "5", at=now + 2 * MINUTE, id="after", surface="claude")
    placed = dict(UsageEvent.objects.values_list("event_id", "month_on"))
    assert (placed["since"], placed["after"]) == (DECEMBER, NOVEMBER)
    assert list(differences()) == []
    close_due(closed.pk, now=CLOSES)
    first, second = Invoice.objects.order_by("pk")
    assert (first.number, first.status, first.total_nanos) == (
        "ACME-0001",
        "void",
        usd("44.34"),
    )
    assert (second.number, second.status, second.total_nanos) == (
        "ACME-0002",
        "open",
        usd("49.34"),
    )
    assert (first.edition, second.edition) == (1, 2)
    assert list(differences()) == []
    line = first.lines.get(position=2)  # Bob on Claude, before and after
    assert [one.event_id for one in events_behind(line)] == ["bob-chat"]
    assert len(list(events_of_invoice(first))) == 3
    assert len(list(events_of_invoice(second))) == 4
    january = dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC)
    [december] = close_due(closed.pk, now=january)
    assert december.invoice.number == "ACME-0003"
    assert december.invoice.carried_in_nanos == usd("0.005")
    assert list(differences()) == []


def test_fault_1_it_is_audited_with_its_reason(closed, now):
    reopen("acme", "2026-11", "--yes", "--reason", "Clock of host 3")
    entry = AuditEntry.objects.get(action="invoice.month")
    assert (entry.from_value, entry.to_value) == ("closed", "open")
    assert entry.subject == "2026-11: Clock of host 3"
    assert entry.actor_label == "reopen_month"
    voided = AuditEntry.objects.get(action="invoice.status", to_value="void")
    assert (voided.subject, voided.actor_label) == ("ACME-0001", "reopen_month")
    kept = MonthReopening.objects.get()
    assert (kept.reason, kept.edition, kept.reopened_at) == (
        "Clock of host 3",
        1,
        now + MINUTE,
    )


def test_p2_a_month_may_be_closed_too_early_twice(closed, now):
    for number in (1, 2):
        reopen("acme", "2026-11", "--yes")
        use(closed, "bob", "1", at=now + MINUTE, id=f"n{number}")
        close_november_again = close_due(closed.pk, now=CLOSES)
        assert close_november_again[0].invoice.number == f"ACME-000{number + 1}"
        assert list(differences()) == []
    assert [one.status for one in Invoice.objects.order_by("pk")] == [
        "void",
        "void",
        "open",
    ]
    assert list(MonthReopening.objects.values_list("edition", flat=True)) == [2, 1]


def test_m5_what_the_month_before_carried_goes_on_to_the_new_invoice(
    acme, now, time_machine
):
    use_november(acme, at=now)
    close_november(acme)  # hands on $0.005
    early = dt.datetime(2026, 12, 10, tzinfo=dt.UTC)
    use(acme, "bob", "1.002", at=early, id="december")
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    time_machine.move_to(early, tick=False)
    reopen("acme", "2026-12", "--yes")
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    _november, void, december = Invoice.objects.order_by("pk")
    assert void.status == "void" and december.carried_from == void
    assert december.carried_in_nanos == void.carried_in_nanos == usd("0.005")
    assert list(differences()) == []


def test_p2_a_month_that_came_to_nothing_or_has_no_document_is_reopened_too(
    acme, now, time_machine
):
    use_november(acme, at=now)
    close_november(acme)
    december = dt.datetime(2026, 12, 10, tzinfo=dt.UTC)
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    time_machine.move_to(december, tick=False)
    assert "Invoice" not in reopen("acme", "2026-12", "--yes")
    assert list(differences()) == []
    # 0.4 cents, and November's 0.5: an invoice of $0.00, which is paid at once
    use(acme, "bob", "0.004", at=december, id="little")
    [closed] = close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    assert (closed.invoice.total_nanos, closed.invoice.status) == (0, "paid")
    reopen("acme", "2026-12", "--yes")
    assert Invoice.objects.get(pk=closed.invoice.pk).status == "void"
    assert list(differences()) == []


def test_p2_a_statement_of_a_close_that_was_taken_back_counts_no_more(
    bolt, now, time_machine
):
    turn_on(bolt, now=now)
    close_due(bolt.pk, now=CLOSES + dt.timedelta(hours=12))
    first = Statement.objects.get()
    time_machine.move_to(now + MINUTE, tick=False)
    assert "The statement (closing balance $100" in reopen(
        bolt.slug, "2026-11", "--yes"
    )
    assert list(statements_of(bolt.pk)) == []
    turn_on(bolt, balance="50", now=now + MINUTE)
    close_due(bolt.pk, now=CLOSES + dt.timedelta(hours=12))
    [second] = statements_of(bolt.pk)
    assert second != first and second.closing_nanos == usd(150)
    assert list(differences()) == []


def test_p2_a_month_that_is_over_is_not_reopened(closed, time_machine):
    """From the moment it may close."""
    time_machine.move_to(CLOSES, tick=False)
    with pytest.raises(CommandError, match=r"November 2026 is over.*credit note"):
        reopen("acme", "2026-11", "--yes")
    time_machine.move_to(CLOSES - MINUTE, tick=False)
    assert "Nothing was changed" in reopen()


def test_p2_what_was_paid_or_credited_keeps_its_month_closed(closed, now, operator):
    invoice = Invoice.objects.get()
    issue_credit_note(
        invoice, subtotal_nanos=usd(1), reason="Why", operator=operator, now=now
    )
    with pytest.raises(CommandError, match="has a credit note"):
        reopen("acme", "2026-11", "--yes")
    mark_paid(invoice, note="wire", operator=operator, now=now)
    with pytest.raises(CommandError, match="ACME-0001 was paid"):
        reopen("acme", "2026-11", "--yes")
    assert closed_through(closed) == NOVEMBER and list(differences()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("acme", "2026-10"), "2026-10 of Acme is not closed, so nothing was changed."),
        (("acme", "2026-12"), "2026-12 of Acme is not closed, so nothing was changed."),
        (("nobody", "2026-11"), "There is no organization “nobody”."),
        (("acme", "November"), "“November” is not a month."),
        (("acme", "2026-11", "--yes", "--reason", " "), "Give a reason"),
    ],
)
def test_what_cannot_be_is_one_sentence(closed, words, sentence):
    with pytest.raises(CommandError, match=sentence):
        reopen(*words)
    assert closed_through(closed) == NOVEMBER


def test_p2_months_open_again_in_reverse_order(closed, now):
    close_due(closed.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    with pytest.raises(CommandError, match="2026-12 comes first"):
        reopen("acme", "2026-11", "--yes")
    reopen("acme", "2026-12", "--yes")
    reopen("acme", "2026-11", "--yes")
    assert closed_through(closed) == dt.date(2026, 10, 1)
    assert list(differences()) == []


def test_p2_twice_at_once_it_is_reopened_once(closed, now):
    reopen("acme", "2026-11", "--yes")
    with pytest.raises(BusinessError) as refused:
        reopen_month(
            closed.pk,
            month_on=NOVEMBER,
            reason="Again",
            command="reopen_month",
            now=now + MINUTE,
        )
    assert refused.value.code == "month_not_closed"


def test_p3_an_invoice_at_stripe_is_void_there_too_and_money_for_it_is_told(
    closed, now
):
    Invoice.objects.update(
        gateway="stripe", gateway_id="in_1", gateway_next_try_at=None
    )
    assert "void here and at Stripe" in reopen("acme", "2026-11", "--yes")
    invoice = Invoice.objects.get()
    assert invoice.gateway_next_try_at == now + MINUTE
    told = GatewayEvent(
        id="evt_1",
        kind="invoice.paid",
        invoice_key=invoice_key(invoice),
        amount_cents=4434,
        currency="usd",
        gateway_id="in_1",
        livemode=False,
    )
    take_paid_invoice(told, gateway="stripe", livemode=False, now=now + MINUTE)
    invoice.refresh_from_db()
    assert invoice.status == "void" and "refund it there" in invoice.gateway_error


UNDO = {
    "the closed month": (
        "UPDATE billing_billingaccount SET frozen_through_on = '2026-10-01'"
        " WHERE frozen_through_on IS NOT NULL"
    ),
    "no closed month at all": (
        "UPDATE billing_billingaccount SET frozen_through_on = NULL"
        " WHERE frozen_through_on IS NOT NULL"
    ),
    "the row of the month": "DELETE FROM billing_billingmonth",
    "a reopening while the invoice is to pay": (
        "INSERT INTO billing_monthreopening (organization_id, month_on, edition,"
        " closed_through_on, frozen_at, closed_at, reopened_at, reopened_by, reason)"
        " SELECT organization_id, month_on, edition, '2026-10-01', frozen_at, closed_at,"
        " closed_at, 'me', 'x' FROM billing_billingmonth"
    ),
}


@pytest.mark.parametrize("what", UNDO)
def test_p2_raw_sql_reopens_nothing(closed, what):
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(UNDO[what])
        connection.check_constraints()
    assert closed_through(closed) == NOVEMBER
    assert BillingMonth.objects.count() == 1


def test_p2_a_reopening_allows_its_own_close_alone_and_one_month(closed, now):
    """Neither another month nor, once closed anew, the same again."""
    reopen("acme", "2026-11", "--yes")
    close_due(closed.pk, now=CLOSES)
    for what in ("the closed month", "the row of the month"):
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(UNDO[what])
    for change in ("UPDATE {} SET reason = 'x'", "DELETE FROM {}"):
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(change.format("billing_monthreopening"))


@pytest.mark.database_clock
@pytest.mark.postgres
@pytest.mark.parametrize("ahead", [dt.timedelta(days=40), dt.timedelta(hours=10)])
def test_fault_1_a_clock_that_is_ahead_closes_nothing(db, time_machine, ahead):
    right = timezone.now()
    acme = make_cast(now=right)
    record_usage(
        [event("bob@acme.example", usd="1", at=right)],
        organization_id=acme.pk,
        now=right,
    )
    month = acme.calendar.month_at(right)
    time_machine.move_to(right + ahead, tick=True)
    assert organizations_to_close(now=month.end + dt.timedelta(days=1))
    with pytest.raises(CommandError, match="clock is off"):
        call_command("close_month", "acme", f"{month.first_on:%Y-%m}")
    assert tasks.close_due_months() == 0 and tasks.close_months(acme.pk) == 0
    time_machine.move_to(right, tick=True)
    with pytest.raises(CommandError, match="is still open"):
        call_command("close_month", "acme", f"{month.first_on:%Y-%m}")
    assert not BillingMonth.objects.exists()
