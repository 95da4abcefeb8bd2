"""A year of Acme and of Bolt, told by dated assertions (P1-P4, M4, M5, C5, T7).

Acme is billed afterwards, in New York; Bolt is prepaid, in Los Angeles. What is
expected is added up here by itself, in decimals, from what people used; each month ends
with clean books.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine

from accounts.actions.audit import Actor
from accounts.actions.members import remove_member
from accounts.models import Membership, Organization
from billing.books import differences
from billing.caps.actions.caps import set_member_cap
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.actions.details import set_terms
from billing.documents.actions.settling import mark_paid
from billing.documents.closing import close_due
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.recording import record_usage
from billing.metering.actions.repricing import reprice_events
from billing.metering.rules.events import ReportedEvent
from billing.models import (
    BillingMonth,
    Invoice,
    LedgerEntry,
    ModelPrice,
    Payment,
    RepricingReason,
    SeatAllowance,
    Statement,
    UsageAdjustment,
    UsageEvent,
)
from billing.models.prices import RATE_FIELDS
from billing.payments import processing
from billing.payments.actions.credits import post_credit
from billing.prices.actions import correct_price
from billing.prices.rules import Usage
from config.kit.money import NANOS_PER_USD, usd
from tests.factories.balances import balance, make_bolt, turn_on, use_up_included
from tests.factories.people import MembershipFactory, make_cast, make_user
from tests.factories.usage import enable_extra_usage, event

NEW_YEAR = dt.datetime(2026, 1, 1, 17, tzinfo=dt.UTC)
CENT = Decimal("0.01")
pytestmark = pytest.mark.django_db


def at(zone: str, text: str) -> dt.datetime:
    """An instant by a wall clock."""
    return (
        dt.datetime.fromisoformat(text)
        .replace(tzinfo=ZoneInfo(zone))
        .astimezone(dt.UTC)
    )


def ny(text: str) -> dt.datetime:
    return at("America/New_York", text)


def la(text: str) -> dt.datetime:
    return at("America/Los_Angeles", text)


class Acme:
    """Acme's year: what people use, and what the books should say of it."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.organization = make_cast(now=NEW_YEAR)
        SeatAllowance.objects.filter(
            plan=self.organization.plan
        ).delete()  # all usage is extra
        enable_extra_usage(self.organization, cap="5000")
        people = Membership.objects.filter(
            organization=self.organization
        ).select_related("user", "organization")
        self.people = {member.user.name.split()[0]: member for member in people}
        rex = MembershipFactory(
            organization=self.organization,
            user=make_user("rex@acme.example", "Rex Holt"),
        )
        self.people["Rex"] = rex
        self.used: dict[str, dict[tuple[str, str, str], Decimal]] = defaultdict(
            lambda: defaultdict(Decimal)
        )
        self.carried = Decimal(0)
        self.all_billed = Decimal(0)
        self.number = 0

    @property
    def owner(self) -> Actor:
        return Actor.person(self.organization.primary_owner)

    def uses(
        self,
        who: str,
        amount: str,
        *,
        when: str,
        month: str,
        reported: str = "",
        surface: str = "claude_code",
    ):
        """`who` uses `amount` USD at `when` (New York), which counts to `month`."""
        occurred = ny(when)
        now = ny(reported or when)
        self.clock.move_to(now)
        sent = event(
            self.people[who],
            at=occurred,
            usd=amount,
            surface=surface,
            id=f"acme-{len(UsageEvent.objects.all())}",
        )
        [result] = record_usage(
            [sent], organization_id=self.organization.pk, now=now
        ).results
        assert (result.status, result.funding) == ("recorded", "extra_usage")
        kept = UsageEvent.objects.get(event_id=sent.id)
        assert (f"{kept.month_on:%Y-%m}", kept.occurred_at) == (month, occurred)
        self.used[month][who, surface, "claude-sonnet-5"] += Decimal(amount)
        return kept

    def closes(
        self,
        month: str,
        *,
        on: str,
        extra_lines: tuple[tuple[Decimal, Decimal], ...] = (),
    ) -> Invoice | None:
        """Beat finds the month due at `on`; its invoice is what was used, to the cent (M5)."""
        now = ny(on)
        self.clock.move_to(now)
        closed = close_due(self.organization.pk, now=now)
        assert [str(row.month) for row in closed] == [month]
        assert close_due(self.organization.pk, now=now) == []  # once
        assert list(differences()) == []
        invoice = Invoice.objects.filter(
            organization=self.organization, month_on=f"{month}-01"
        ).first()
        exact = [*self.used[month].values(), *(line for line, _rounded in extra_lines)]
        if not exact:
            assert invoice is None
            return None
        self.number += 1
        assert invoice is not None and invoice.number == f"ACME-{self.number:04d}"
        self._adds_up(invoice, exact)
        return invoice

    def _adds_up(self, invoice: Invoice, exact: list[Decimal]) -> None:
        subtotal = sum(amount.quantize(CENT, ROUND_HALF_EVEN) for amount in exact)
        subtotal += self.carried.quantize(CENT, ROUND_HALF_EVEN)
        assert invoice.exact_nanos == sum(exact) * NANOS_PER_USD
        assert invoice.carried_in_nanos == self.carried * NANOS_PER_USD
        assert invoice.subtotal_nanos == subtotal * NANOS_PER_USD
        assert (
            sum(invoice.lines.values_list("amount_nanos", flat=True))
            == invoice.subtotal_nanos
        )
        self.carried = self.carried + sum(exact) - subtotal
        assert invoice.carried_out_nanos == self.carried * NANOS_PER_USD
        self.all_billed += subtotal


@pytest.fixture
def clock(db):
    with time_machine.travel(NEW_YEAR, tick=False) as traveller:
        yield traveller


def lines(invoice: Invoice) -> list[tuple[str, str, str, str]]:
    """Person, surface, cents billed, what it is about."""
    rows = invoice.lines.order_by("position").values_list(
        "member_name", "surface", "amount_nanos", "about"
    )
    return [
        (name, surface, f"{Decimal(nanos) / NANOS_PER_USD:.2f}", about)
        for name, surface, nanos, about in rows
    ]


def test_a_year_of_acme(clock):
    acme = Acme(clock)
    bob = acme.people["Bob"]

    # January: two surfaces, sub-cent amounts that round both ways.
    acme.uses("Bob", "12.34567", when="2026-01-12T10:00", month="2026-01")
    acme.uses("Bob", "0.00333", when="2026-01-12T11:00", month="2026-01")
    acme.uses(
        "Ada", "5.55500", when="2026-01-20T16:00", month="2026-01", surface="claude"
    )
    january = acme.closes("2026-01", on="2026-02-01T06:00")
    assert lines(january) == [
        ("Ada Okafor", "claude", "5.56", ""),  # 5.555 is half-even to 5.56
        ("Bob Feld", "claude_code", "12.35", ""),
    ]
    assert january.total_nanos == usd("17.91") and january.due_on == dt.date(2026, 3, 3)
    assert january.carried_out_nanos == usd("-0.00600")

    # February: Bob's cap of $20 pauses him; the request that crosses it is billed whole
    # (C3, E3).
    set_member_cap(
        acme.organization,
        membership=bob,
        amount_nanos=usd(20),
        actor=acme.owner,
        now=ny("2026-02-02T09:00"),
    )
    acme.uses("Bob", "19.99999", when="2026-02-10T10:00", month="2026-02")
    acme.uses("Bob", "0.75000", when="2026-02-10T10:05", month="2026-02")
    paused = decide(
        standing_of(
            bob.pk, organization_id=acme.organization.pk, now=ny("2026-02-20T10:00")
        )
    )
    assert (paused.allowed, paused.reason) == (False, "member_cap_reached")
    # P4: with the month over by the clock he goes on, though nobody has closed February yet.
    early = ny("2026-03-01T00:05")
    assert decide(
        standing_of(bob.pk, organization_id=acme.organization.pk, now=early)
    ).allowed
    february = acme.closes("2026-02", on="2026-03-01T06:10")
    assert lines(february) == [
        ("Bob Feld", "claude_code", "20.75", ""),
        ("", "", "-0.01", ""),
    ]
    # rounds to a whole cent, and is billed
    assert february.lines.get(kind="carried_in").exact_nanos == usd("-0.006")
    assert february.subtotal_nanos == usd("20.74") and february.carried_from == january

    # March: the clocks go forward on the 8th; a late event at each edge of the month (P1).
    acme.uses("Bob", "3.10000", when="2026-03-08T03:30", month="2026-03")
    acme.uses(
        "Ada",
        "1.00001",
        when="2026-03-31T23:59:59",
        month="2026-03",
        reported="2026-04-01T05:59",
    )
    acme.uses(
        "Ada",
        "1.00002",
        when="2026-04-01T00:00",
        month="2026-04",
        reported="2026-04-01T05:59",
    )
    # jobs are late
    acme.uses(
        "Bob",
        "2.22220",
        when="2026-03-31T12:00",
        month="2026-03",
        reported="2026-04-01T07:00",
    )
    march = acme.closes("2026-03", on="2026-04-01T07:30")
    assert (march.starts_at, march.ends_at) == (
        ny("2026-03-01T00:00"),
        ny("2026-04-01T00:00"),
    )
    assert march.ends_at - march.starts_at == dt.timedelta(days=31) - dt.timedelta(
        hours=1
    )
    # now too late
    acme.uses(
        "Bob",
        "4.44440",
        when="2026-03-31T23:00",
        month="2026-04",
        reported="2026-04-01T08:00",
    )
    assert UsageEvent.objects.latest("pk").day_on == dt.date(2026, 4, 1)

    # April: the invoice of March is paid; Rex works for the last time and is removed.
    mark_paid(
        march,
        note="Bank transfer 4711",
        operator=acme.organization.primary_owner,
        now=ny("2026-04-15T09:00"),
    )
    acme.uses("Rex", "8.88888", when="2026-04-28T15:00", month="2026-04")
    remove_member(
        acme.people["Rex"], by=acme.people["Alice"], now=ny("2026-04-29T09:00")
    )
    april = acme.closes("2026-04", on="2026-05-01T06:00")
    assert [name for name, *_rest in lines(april)] == [
        "Ada Okafor",
        "Bob Feld",
        "Rex Holt",
        "",
    ]

    # May: a model whose price turns out to be wrong.
    haiku = ReportedEvent(
        "may-haiku",
        "bob@acme.example",
        "claude_code",
        "claude-haiku-4-5",
        ny("2026-05-04T09:00"),
        Usage(output_tokens=400_000),
    )
    clock.move_to(haiku.occurred_at)
    [result] = record_usage(
        [haiku], organization_id=acme.organization.pk, now=haiku.occurred_at
    ).results
    assert result.cost_nanos == usd("2.00")
    acme.used["2026-05"]["Bob", "claude_code", "claude-haiku-4-5"] += Decimal(2)
    may = acme.closes("2026-05", on="2026-06-01T06:00")

    # June: the price is corrected; the difference is a line of June's bill that names
    # the event and the reason (M4).
    row = ModelPrice.objects.in_force().get(
        provider="anthropic", model="claude-haiku-4-5"
    )
    rates = {name: getattr(row, name) for name in RATE_FIELDS} | {
        "output_nanos": usd(4)
    }
    correct_price(
        (row.provider, row.model, row.starts_on, row.context_above),
        rates=rates,
        actor=acme.owner,
        now=ny("2026-06-10T09:00"),
    )
    assert reprice_events(now=ny("2026-06-10T10:00")).nanos == -usd("0.40")
    acme.uses("Bob", "7.00000", when="2026-06-11T09:00", month="2026-06")
    june = acme.closes(
        "2026-06",
        on="2026-07-01T06:00",
        extra_lines=((Decimal("-0.40"), Decimal("-0.40")),),
    )
    correction = june.lines.get(kind="correction")
    assert (correction.about, correction.reason) == (
        "may-haiku",
        RepricingReason.PRICE_CORRECTED,
    )
    assert correction.amount_nanos == usd("-0.40")
    may.refresh_from_db()
    assert may.subtotal_nanos >= usd("2.00")  # what was issued stays

    # July: nothing but an operator's correction that is larger than the month: nothing
    # to pay, and nothing is lost.
    june_event = UsageEvent.objects.get(month_on="2026-06-01")
    adjust_event(
        june_event,
        amount_nanos=-usd("6.50"),
        reason="Outage on 11 June",
        operator=acme.organization.primary_owner,
        now=ny("2026-07-05T09:00"),
    )
    clock.move_to(ny("2026-08-01T06:00"))
    [closed] = close_due(acme.organization.pk, now=ny("2026-08-01T06:00"))
    july = closed.invoice
    acme.number += 1
    assert (july.number, july.status, july.total_nanos) == ("ACME-0007", "paid", 0)
    assert [line.kind for line in july.lines.all()] == [
        "correction",
        "carried_in",
        "carried_out",
    ]
    acme.carried = acme.carried - Decimal("6.50")
    assert (
        july.carried_out_nanos == acme.carried * NANOS_PER_USD
        and list(differences()) == []
    )

    # August: nobody uses anything, so there is no invoice and no number (P2); what is
    # carried waits.
    acme.closes("2026-08", on="2026-09-01T06:00")

    # September: the credit is taken off; from here on 8.875 % tax.
    set_terms(
        acme.organization,
        tax_rate=8_875,
        tax_label="Sales tax",
        due_days=14,
        actor=acme.owner,
        now=ny("2026-09-02T09:00"),
    )
    acme.uses(
        "Ada", "20.00000", when="2026-09-15T12:00", month="2026-09", surface="claude"
    )
    september = acme.closes("2026-09", on="2026-10-01T06:00")
    assert september.subtotal_nanos < usd("13.60") and september.carried_from == july
    taxed = Decimal(september.subtotal_nanos) / NANOS_PER_USD * Decimal("0.08875")
    assert september.tax_nanos == taxed.quantize(CENT, ROUND_HALF_EVEN) * NANOS_PER_USD
    assert september.due_on == dt.date(2026, 10, 15)

    # October: the jobs stand still until December; both months are caught up, in order
    # (P2). The clocks go back on 1 November.
    acme.uses("Bob", "1.11111", when="2026-10-31T23:59", month="2026-10")
    acme.uses("Bob", "2.22222", when="2026-11-01T00:00", month="2026-11")
    acme.uses("Ada", "3.33333", when="2026-11-30T23:59", month="2026-11")
    now = ny("2026-12-02T09:00")
    clock.move_to(now)
    caught_up = close_due(acme.organization.pk, now=now)
    assert [str(row.month) for row in caught_up] == ["2026-10", "2026-11"]
    for month in ("2026-10", "2026-11"):
        acme.number += 1
        invoice = Invoice.objects.get(
            organization=acme.organization, month_on=f"{month}-01"
        )
        assert invoice.number == f"ACME-{acme.number:04d}"
        acme._adds_up(invoice, list(acme.used[month].values()))

    # December: a credit note on November, never an edit (P3).
    november = Invoice.objects.get(
        organization=acme.organization, month_on="2026-11-01"
    )
    note, _mails = issue_credit_note(
        november,
        subtotal_nanos=usd("1.00"),
        reason="Goodwill",
        operator=acme.organization.primary_owner,
        now=now,
    )
    assert (note.number, note.total_nanos) == (
        "ACME-CN-0001",
        usd("1.09"),
    )  # with its tax
    november.refresh_from_db()
    assert november.total_nanos - note.total_nanos > 0 and november.status == "open"
    acme.uses(
        "Bob",
        "9.99995",
        when="2026-12-31T23:59",
        month="2026-12",
        reported="2027-01-01T03:00",
    )
    december = acme.closes("2026-12", on="2027-01-01T06:00")
    assert december.number == "ACME-0011"

    # All invoices and what is carried on are the events and adjustments, to the
    # nano-dollar (M5).
    events = sum(
        UsageEvent.objects.filter(funding="extra_usage").values_list(
            "cost_nanos", flat=True
        )
    )
    adjusted = sum(UsageAdjustment.objects.values_list("amount_nanos", flat=True))
    billed = sum(Invoice.objects.values_list("subtotal_nanos", flat=True))
    assert events + adjusted == billed + december.carried_out_nanos
    assert set(
        BillingMonth.objects.filter(organization=acme.organization).values_list(
            "state", flat=True
        )
    ) == {"closed"}
    assert BillingMonth.objects.filter(organization=acme.organization).count() == 12
    assert list(differences()) == []


class Bolt:
    """Bolt's year: a balance and what its ledger should say."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.organization: Organization = make_bolt(now=NEW_YEAR)
        use_up_included(self.organization)
        clock.move_to(NEW_YEAR)
        turn_on(self.organization, balance="100", reload=("25", "50"), now=NEW_YEAR)
        self.closing = Decimal(0)
        self.sums: dict[str, dict[str, Decimal]] = defaultdict(
            lambda: defaultdict(Decimal)
        )
        self.sums["2026-01"]["purchases"] = Decimal(100)

    def uses(
        self,
        amount: str,
        *,
        when: str,
        month: str,
        reported: str = "",
        who: str = "mia",
    ) -> None:
        """Usage, and the reload that a worker makes when it crossed the threshold."""
        occurred = la(when)
        now = la(reported or when)
        self.clock.move_to(now)
        sent = event(
            f"{who}@bolt.example",
            at=occurred,
            usd=amount,
            id=f"bolt-{UsageEvent.objects.count()}",
        )
        recorded = record_usage([sent], organization_id=self.organization.pk, now=now)
        assert f"{UsageEvent.objects.get(event_id=sent.id).month_on:%Y-%m}" == month
        self.sums[month]["charges"] -= Decimal(amount)
        if (
            recorded.balance_crossed
            and (payment := processing.reload_if_due(self.organization.pk, now=now))
            is not None
        ):
            self.sums[f"{now.astimezone(ZoneInfo('America/Los_Angeles')):%Y-%m}"][
                "reloads"
            ] += Decimal(payment.amount_nanos) / NANOS_PER_USD

    def closes(self, month: str, *, on: str) -> Statement:
        """The statement is the ledger's month, to the nano-dollar."""
        now = la(on)
        self.clock.move_to(now)
        closed = close_due(self.organization.pk, now=now)
        assert [str(row.month) for row in closed] == [month]
        statement = Statement.objects.get(
            organization=self.organization, month_on=f"{month}-01"
        )
        assert statement.opening_nanos == self.closing * NANOS_PER_USD
        for kind in (
            "purchases",
            "reloads",
            "charges",
            "refunds",
            "credits",
            "adjustments",
        ):
            assert (
                getattr(statement, f"{kind}_nanos")
                == self.sums[month][kind] * NANOS_PER_USD
            ), (month, kind)
        self.closing += sum(self.sums[month].values())
        assert statement.closing_nanos == self.closing * NANOS_PER_USD
        ledger = LedgerEntry.objects.filter(
            organization=self.organization, month_on__lte=f"{month}-01"
        )
        assert statement.closing_nanos == sum(
            ledger.values_list("amount_nanos", flat=True)
        )
        assert list(differences()) == [] and not Invoice.objects.exists()
        return statement


def test_a_year_of_bolt(clock):
    bolt = Bolt(clock)
    owner = bolt.organization.primary_owner
    bolt.uses("40.12345", when="2026-01-15T10:00", month="2026-01")
    january = bolt.closes("2026-01", on="2026-02-01T06:00")
    assert (january.opening_nanos, january.closing_nanos) == (0, usd("59.87655"))
    # February: two people; the balance reaches the threshold and is reloaded once (T4).
    bolt.uses("30.00000", when="2026-02-10T10:00", month="2026-02")
    bolt.uses("10.00001", when="2026-02-11T10:00", month="2026-02", who="max")
    february = bolt.closes("2026-02", on="2026-03-01T06:30")
    assert february.reloads_nanos == usd(50)
    people = list(
        february.lines.order_by("position").values_list("member_name", "charges_nanos")
    )
    assert people == [("Max", -usd("10.00001")), ("Mia", -usd("30"))]
    # March: usage of the last evening is reported in the grace time and belongs to
    # March, though booked in April.
    bolt.uses(
        "5.00000", when="2026-03-31T23:58", month="2026-03", reported="2026-04-01T01:00"
    )
    bolt.uses("6.00000", when="2026-04-01T00:10", month="2026-04")
    march = bolt.closes("2026-03", on="2026-04-01T06:00")
    entry = LedgerEntry.objects.get(
        organization=bolt.organization, month_on="2026-03-01", kind="charge"
    )
    assert (entry.day_on, entry.amount_nanos) == (dt.date(2026, 3, 31), -usd(5))
    assert entry.created_at >= la("2026-04-01T06:00") and march.charges_nanos == -usd(5)
    # ... and what comes after the close is April's.
    bolt.uses(
        "1.50000", when="2026-03-31T20:00", month="2026-04", reported="2026-04-01T09:00"
    )
    # April: a credit, and an unused purchase goes back (T7).
    now = la("2026-04-20T12:00")
    clock.move_to(now)
    post_credit(
        bolt.organization,
        amount_nanos=usd(7),
        reason="Sorry for Tuesday",
        operator=owner,
        now=now,
    )
    bolt.sums["2026-04"]["credits"] = Decimal(7)
    bought = Payment.objects.filter(
        organization=bolt.organization, purpose="reload"
    ).latest("pk")
    processing.refund(
        bought,
        amount_nanos=usd(10),
        reason="Bought by mistake",
        operator=owner,
        now=now,
    )
    bolt.sums["2026-04"]["refunds"] = Decimal(-10)
    april = bolt.closes("2026-04", on="2026-05-01T06:00")
    assert april.refunds_nanos == -usd(10)
    # May to November: a charge of June is adjusted in July; a quiet month still has its
    # statement.
    for month, amount in (("05", "11.11111"), ("06", "12.00000")):
        bolt.uses(amount, when=f"2026-{month}-12T10:00", month=f"2026-{month}")
        bolt.closes(f"2026-{month}", on=f"2026-{int(month) + 1:02d}-01T06:00")
    june_event = UsageEvent.objects.get(month_on="2026-06-01")
    adjust_event(
        june_event,
        amount_nanos=-usd("2.00"),
        reason="Wrong model",
        operator=owner,
        now=la("2026-07-03T10:00"),
    )
    bolt.sums["2026-07"]["adjustments"] = Decimal(2)
    july = bolt.closes("2026-07", on="2026-08-01T06:00")
    lines_of_july = july.lines.values_list("charges_nanos", "adjustments_nanos")
    assert list(lines_of_july) == [(0, usd(2))]
    for month in ("08", "09", "10"):
        quiet = bolt.closes(f"2026-{month}", on=f"2026-{int(month) + 1:02d}-01T06:30")
        assert quiet.opening_nanos == quiet.closing_nanos
    bolt.uses(
        "3.33333", when="2026-11-01T01:30", month="2026-11"
    )  # the hour that comes twice
    bolt.closes("2026-11", on="2026-12-01T06:00")
    bolt.uses("0.00001", when="2026-12-31T23:59", month="2026-12")
    bolt.closes("2026-12", on="2027-01-01T06:00")
    assert Statement.objects.filter(organization=bolt.organization).count() == 12
    assert balance(bolt.organization) == bolt.closing * NANOS_PER_USD
