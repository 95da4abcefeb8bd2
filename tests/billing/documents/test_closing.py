"""P1, P2: a month is frozen, drafted and finished once, in order, from where it was left.

The database holds to it.
"""

from __future__ import annotations

import datetime as dt
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.actions.audit import Actor
from accounts.actions.organizations import change_timezone
from accounts.models import Organization, OutgoingMail
from billing.books import differences
from billing.documents import tasks
from billing.documents.actions.months import draft_month, finish_month, freeze_month
from billing.documents.closing import close_due
from billing.documents.queries.months import due_months, organizations_to_close
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    BillingMonth,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    OrganizationMonth,
    Statement,
    UsageEvent,
    UsageMonth,
)
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.balances import turn_on, use_up_included
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.usage import event

NOVEMBER, DECEMBER = dt.date(2026, 11, 1), dt.date(2026, 12, 1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def used(acme, now):
    """Acme with $44.345 of extra usage in November."""
    use_november(acme, at=now)
    return acme


def test_p2_before_the_grace_is_over_nothing_closes(used):
    early = CLOSES - MINUTE
    assert due_months(used, now=early) == [] and close_due(used.pk, now=early) == []
    with pytest.raises(BusinessError) as refused:
        freeze_month(used.pk, month_on=NOVEMBER, now=early)
    assert (
        refused.value.code == "month_not_over"
        and "America/New_York" in refused.value.message
    )
    assert used.pk not in organizations_to_close(now=early)


def test_p2_a_close_makes_the_invoice_from_counters_with_lines_per_member_model_and_surface(
    used,
):
    assert organizations_to_close(now=CLOSES).count(used.pk) == 1
    invoice = close_november(used)
    rows = invoice.lines.values_list(
        "kind",
        "member_name",
        "surface",
        "model",
        "events",
        "exact_nanos",
        "amount_nanos",
    )
    assert list(rows) == [
        ("usage", "Ada Okafor", "claude_code", "claude-sonnet-5", 1, usd(30), usd(30)),
        ("usage", "Bob Feld", "claude", "claude-sonnet-5", 1, usd(2), usd(2)),
        (
            "usage",
            "Bob Feld",
            "claude_code",
            "claude-sonnet-5",
            1,
            usd("12.345"),
            usd("12.34"),
        ),
    ]
    assert (invoice.number, invoice.status, invoice.total_nanos) == (
        "ACME-0001",
        "open",
        usd("44.34"),
    )
    assert invoice.carried_out_nanos == usd("0.005") and invoice.due_on == dt.date(
        2026, 12, 31
    )
    assert list(differences()) == [] and used.pk not in organizations_to_close(
        now=CLOSES
    )


def test_p2_closing_again_changes_nothing(used):
    invoice = close_november(used)
    assert close_due(used.pk, now=CLOSES) == []
    month = BillingMonth.objects.get(organization=used, month_on=NOVEMBER)
    assert freeze_month(used.pk, month_on=NOVEMBER, now=CLOSES) == month
    draft_month(month.pk, now=CLOSES)
    assert finish_month(month.pk, now=CLOSES).mails == []
    assert Invoice.objects.get() == invoice and invoice.lines.count() == 3


@pytest.mark.parametrize("done", ["frozen", "drafted"])
def test_p2_a_close_that_stopped_half_way_is_taken_up_there(used, done):
    month = freeze_month(used.pk, month_on=NOVEMBER, now=CLOSES)
    if done == "drafted":
        draft_month(month.pk, now=CLOSES)
        assert (
            Invoice.objects.get().status == "draft"
            and not OutgoingMail.objects.exists()
        )
    assert used.pk in organizations_to_close(now=CLOSES + MINUTE)
    [closed] = close_due(used.pk, now=CLOSES + MINUTE)
    assert closed.month.state == "closed" and closed.invoice.number == "ACME-0001"
    assert Invoice.objects.count() == 1 and list(differences()) == []


def test_p2_a_month_that_was_missed_is_caught_up_in_order(used):
    use(used, "bob", "1", at=CLOSES + dt.timedelta(days=3))
    late = dt.datetime(2027, 2, 1, 12, tzinfo=dt.UTC)
    closed = close_due(used.pk, now=late)
    assert [f"{one.month}" for one in closed] == ["2026-11", "2026-12", "2027-01"]
    assert [one.invoice.number if one.invoice else None for one in closed] == [
        "ACME-0001",
        "ACME-0002",
        None,
    ]
    assert Invoice.objects.get(number="ACME-0002").carried_in_nanos == usd("0.005")


def test_p2_months_do_not_close_out_of_order(used):
    with pytest.raises(BusinessError, match="2026-11"):
        freeze_month(
            used.pk, month_on=DECEMBER, now=dt.datetime(2027, 2, 1, tzinfo=dt.UTC)
        )


def test_p2_the_next_month_waits_until_the_one_before_is_closed_to_its_end(used):
    late = dt.datetime(2027, 2, 1, 12, tzinfo=dt.UTC)
    freeze_month(used.pk, month_on=NOVEMBER, now=late)
    with pytest.raises(BusinessError) as refused:
        freeze_month(used.pk, month_on=DECEMBER, now=late)
    assert refused.value.code == "month_unfinished"


def test_p1_a_late_event_goes_to_the_open_month_and_its_receipt_says_so(used, bob):
    close_november(used)
    at = CLOSES - dt.timedelta(hours=7)  # 30 November, 23:00 in New York
    [result] = record_usage(
        [event(bob, id="late", usd="1", at=at)], organization_id=used.pk, now=CLOSES
    ).results
    assert result.status == "recorded"
    late = UsageEvent.objects.get(event_id="late")
    assert (late.month_on, late.day_on, late.occurred_at) == (DECEMBER, DECEMBER, at)
    assert OrganizationMonth.objects.get(month_on=DECEMBER).extra_nanos == usd(1)
    assert (
        Invoice.objects.get().exact_nanos == usd("44.345") and list(differences()) == []
    )


# Each would put something into a closed month, past all acts.
INTO_NOVEMBER = {
    "an event": (
        "INSERT INTO billing_usageevent SELECT * FROM billing_usageevent WHERE event_id"
        " = 'bob-code'"
    ),
    "an adjustment": (
        "INSERT INTO billing_usageadjustment (organization_id, membership_id, event_id,"
        " amount_nanos, price_id, prepaid, source, reason, created_at, month_on,"
        " day_on) SELECT organization_id, membership_id, id, 1, price_id, prepaid,"
        " 'price', 'x', recorded_at, month_on, day_on FROM billing_usageevent WHERE"
        " event_id = 'bob-code'"
    ),
}


@pytest.mark.parametrize("what", INTO_NOVEMBER)
def test_p2_the_database_refuses_anything_new_in_a_closed_month_also_by_raw_sql(
    used, what
):
    close_november(used)
    with (
        pytest.raises(DatabaseError, match="billing month is closed"),
        transaction.atomic(),
    ):
        sql = INTO_NOVEMBER[what]
        if what == "an event":  # a copy under another id
            columns = [
                field.column
                for field in UsageEvent._meta.concrete_fields
                if field.column != "id"
            ]
            values = ["'copy'" if name == "event_id" else name for name in columns]
            sql = (
                f"INSERT INTO billing_usageevent ({', '.join(columns)}) SELECT"
                f" {', '.join(values)} FROM billing_usageevent WHERE event_id ="
                " 'bob-code'"
            )
        with connection.cursor() as cursor:
            cursor.execute(sql)


CHANGES = {
    "open the month again": (
        "UPDATE billing_billingaccount SET frozen_through_on = NULL",
        "not opened again",
    ),
    "move it back": (
        "UPDATE billing_billingaccount SET frozen_through_on = '2026-10-01'",
        "not opened again",
    ),
    "change a closed month": (
        "UPDATE billing_billingmonth SET zone = 'UTC'",
        "not changed",
    ),
    "delete it": ("DELETE FROM billing_billingmonth", "is kept"),
    "delete the account that says so": (
        "DELETE FROM billing_billingaccount",
        "closed months are kept",
    ),
    "change what was issued": (
        "UPDATE billing_invoice SET total_nanos = 0, subtotal_nanos = 0",
        "not changed",
    ),
    "renumber it": ("UPDATE billing_invoice SET number = 'X-1'", "not changed"),
    "make it a draft again": (
        "UPDATE billing_invoice SET status = 'draft'",
        "no such step",
    ),
    "delete an invoice": ("DELETE FROM billing_invoice", "is kept"),
    "change a line": ("UPDATE billing_invoiceline SET amount_nanos = 0", "append-only"),
    "delete a line": ("DELETE FROM billing_invoiceline", "append-only"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_p3_the_database_refuses_to_change_what_was_closed_or_issued(used, what):
    close_november(used)
    sql, says = CHANGES[what]
    with (
        pytest.raises(DatabaseError, match=says),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_p3_an_issued_invoice_takes_no_more_lines(used):
    invoice = close_november(used)
    with (
        pytest.raises(DatabaseError, match="only a draft takes lines"),
        transaction.atomic(),
    ):
        InvoiceLine.objects.create(
            invoice=invoice, position=99, kind="usage", exact_nanos=1, amount_nanos=0
        )


def test_p2_a_prepaid_month_makes_a_statement_and_no_invoice(bolt, now):
    use_up_included(bolt)
    turn_on(bolt, balance="100", now=now)
    use(bolt, "mia", "12.34567", at=now)
    closing = dt.datetime(2026, 12, 1, 14, tzinfo=dt.UTC)
    [closed] = [one for one in close_due(bolt.pk, now=closing) if one.statement]
    assert closed.invoice is None
    found = Statement.objects.get()
    assert (found.opening_nanos, found.purchases_nanos, found.charges_nanos) == (
        0,
        usd(100),
        -usd("12.34567"),
    )
    assert found.closing_nanos == usd("87.65433")
    assert LedgerEntry.objects.get(kind="charge").month_on == NOVEMBER
    assert list(differences()) == []


def test_d2_a_month_whose_settlement_changed_has_both_an_invoice_and_a_statement(
    bolt, now
):
    use_up_included(bolt)
    turn_on(bolt, balance="100", now=now)
    use(bolt, "mia", "10", at=now)
    Organization.objects.filter(pk=bolt.pk).update(settlement="postpaid")
    use(bolt, "mia", "5", at=now + MINUTE)
    [closed] = [
        one
        for one in close_due(bolt.pk, now=dt.datetime(2026, 12, 1, 14, tzinfo=dt.UTC))
        if one.invoice
    ]
    assert (closed.invoice.total_nanos, closed.statement.charges_nanos) == (
        usd(5),
        -usd(10),
    )
    assert list(differences()) == []


def test_c5_a_change_of_zone_moves_the_edges_from_the_next_month_on(used, now):
    change_timezone(used, timezone="Asia/Tokyo", actor=Actor(label="test"), now=now)
    assert due_months(Organization.objects.get(pk=used.pk), now=CLOSES) == [NOVEMBER]
    invoice = close_november(used)
    assert (invoice.zone, invoice.ends_at) == (
        "America/New_York",
        dt.datetime(2026, 12, 1, 5, tzinfo=dt.UTC),
    )
    january = dt.datetime(
        2026, 12, 31, 21, tzinfo=dt.UTC
    )  # 06:00 on 1 January in Tokyo
    use(used, "bob", "1", at=CLOSES)
    [closed] = close_due(used.pk, now=january)
    assert (
        closed.month.starts_at == invoice.ends_at and closed.month.zone == "Asia/Tokyo"
    )


def test_c5_a_second_change_of_zone_moves_no_edge_of_a_month_that_is_closed(used, now):
    """From Tokyo back to New York: a month that is closed ended when it ended."""
    actor = Actor(label="test")
    change_timezone(used, timezone="Asia/Tokyo", actor=actor, now=now)
    # December's grace is over, by Tokyo's clock
    december = dt.datetime(2026, 12, 31, 21, tzinfo=dt.UTC)
    assert [f"{one.month}" for one in close_due(used.pk, now=december)] == [
        "2026-11",
        "2026-12",
    ]
    change_timezone(used, timezone="America/New_York", actor=actor, now=december)
    calendar = Organization.objects.get(pk=used.pk).calendar
    assert calendar.month(DECEMBER).end == dt.datetime(2026, 12, 31, 15, tzinfo=dt.UTC)
    assert (
        calendar.month(NOVEMBER).zone == "America/New_York"
        and calendar.month(DECEMBER).zone == "Asia/Tokyo"
    )
    at = december + MINUTE
    # refused by the database, were December still running by the clock
    use(used, "bob", "1", at=at)
    assert UsageEvent.objects.latest("pk").month_on == dt.date(2027, 1, 1)


def test_m4_an_operators_adjustment_is_a_line_of_the_open_month_that_names_event_and_reason(
    used, alice
):
    close_november(used)
    bobs = UsageEvent.objects.get(event_id="bob-code")
    adjust_event(
        bobs,
        amount_nanos=-usd("2.345"),
        reason="Outage",
        operator=alice.user,
        now=CLOSES,
    )
    use(used, "bob", "10", at=CLOSES)
    close_due(used.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    december = Invoice.objects.get(month_on=DECEMBER)
    line = december.lines.get(kind="correction")
    assert (line.member_name, line.about, line.reason, line.amount_nanos) == (
        "Bob Feld",
        "bob-code",
        "Outage",
        -usd("2.34"),
    )
    assert list(differences()) == []


@pytest.mark.parametrize(
    ("amount", "reason", "code"),
    [
        ("0", "x", "adjustment_amount"),
        ("-12.35", "x", "adjustment_amount"),
        ("1", " ", "reason_missing"),
    ],
)
def test_m4_an_adjustment_needs_a_reason_and_leaves_no_event_below_zero(
    used, alice, amount, reason, code
):
    bobs = UsageEvent.objects.get(event_id="bob-code")
    with pytest.raises(BusinessError) as refused:
        adjust_event(
            bobs,
            amount_nanos=usd(amount),
            reason=reason,
            operator=alice.user,
            now=CLOSES,
        )
    assert refused.value.code == code


def test_e8_the_audit_names_a_counter_that_lies(used):
    close_november(used)
    UsageMonth.objects.filter(surface="claude").update(extra_nanos=1)
    assert {(one.table, one.column) for one in differences()} == {
        ("billing_usagemonth", "extra_nanos")
    }


def test_the_job_closes_what_is_due_and_mails_it(used):
    with time_machine.travel(CLOSES, tick=False):
        assert tasks.close_due_months() >= 1
        assert tasks.close_due_months() == 0
    assert Invoice.objects.get().status == "open"


def run(*words: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("close_month", *words, stdout=out)
    return out.getvalue()


def test_the_command_explains_a_close_without_doing_it_then_does_it_and_then_says_so(
    used,
):
    with time_machine.travel(CLOSES, tick=False):
        dry = run("acme", "2026-11", "--dry-run")
        assert (
            "An invoice would be $44.34: 3 lines, exactly $44.345000000" in dry
            and "Nothing was changed." in dry
        )
        assert not BillingMonth.objects.exists() and not Invoice.objects.exists()
        assert BillingAccount.objects.get(organization=used).frozen_through_on is None
        done = run("acme", "2026-11")
        assert "Invoice ACME-0001 is $44.34" in done and "mails queued" in done
        assert "nothing was changed" in run("acme", "2026-11")
        assert "ACME-0001" in run("acme", "2026-11", "--dry-run")
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nobody", "2026-11"), "no organization “nobody”"),
        (("acme", "2026-13"), "not a month"),
        (("acme", "11/2026"), "not a month"),
        (("acme", "2026-12"), "still open"),
        (("acme", "2026-09"), "Months close in order"),
    ],
)
def test_the_command_refuses_with_one_sentence(used, words, says):
    with (
        time_machine.travel(CLOSES, tick=False),
        pytest.raises(CommandError, match=says),
    ):
        run(*words)
    assert not BillingMonth.objects.exists()
