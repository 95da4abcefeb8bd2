"""P1-P4, M5, E8: six workers and beat close two hundred organizations, and die at it.

Meanwhile usage of the old months and of the new one is recorded, and members ask
whether they may go on. PostgreSQL and Redis; the workers are processes of their own,
the mails go to a mail server on loopback.
"""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import Sum

from accounts.models import Organization, OutgoingMail
from billing.books import differences
from billing.documents import closing
from billing.documents.actions import months
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.actions import batch, recording
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, BillingMonth, Invoice, Statement, UsageEvent
from config.kit.money import usd
from config.kit.sql import run
from tests.concurrency.close_cast import (
    DECEMBER,
    FEBRUARY,
    JANUARY,
    LOS_ANGELES,
    MARCH,
    NEW_YORK,
    NEW_YORK_IS_DUE,
    Cast,
    make_cast,
    request,
)
from tests.concurrency.machines import Broker, Machines, MailServer, happened
from tests.concurrency.threads import run_together
from tests.factories.people import MembershipFactory, make_organization, make_user
from tests.factories.usage import enable_extra_usage, event
from tests.waiting import LONG, wait_until

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
]
WORKERS = 6
# New York's months become due while the others are being closed
START = NEW_YORK_IS_DUE - dt.timedelta(seconds=6)
STEPS = ("freeze_month", "draft_month", "finish_month")


class Inbox:
    """What the mail server has accepted: recipient, Message-ID, name of the document."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, str, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take it."""
        message = message_from_bytes(envelope.content)
        [name] = [part.get_filename() for part in message.walk() if part.get_filename()]
        self.accepted.append((envelope.rcpt_tos[0], message["Message-ID"], name))
        return "250 OK"


class Clock:
    """The clock of the test and its workers, ahead of the machine's.

    A file says by how many seconds.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "ahead"
        self.set(START - dt.timedelta(hours=12))

    def set(self, moment: dt.datetime) -> None:
        """It is `moment` now; in one step, so that nobody reads half a number."""
        self.ahead = moment - dt.datetime.now(dt.UTC)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(self.ahead.total_seconds()))
        fresh.rename(self.file)

    def now(self) -> dt.datetime:
        """What it shows."""
        return dt.datetime.now(dt.UTC) + self.ahead


@dataclass(frozen=True, slots=True)
class Told:
    """One event that was recorded.

    The month it happened in, that of the moment, and how far its organization's months
    were closed before we asked and after we were answered.
    """

    organization_id: int
    event_id: str
    own_on: dt.date
    current_on: dt.date
    before: dt.date | None
    after: dt.date | None


class Bystanders:
    """Threads that record and check until they are told to stop.

    What goes wrong in one fails the test.
    """

    def __init__(self, casts: list[Cast], clock: Clock) -> None:
        self.casts, self.clock, self.stop = casts, clock, threading.Event()
        self.told: list[Told] = []
        self.refused: list[object] = []
        self.checks = 0
        self.errors: list[BaseException] = []
        work = [
            lambda: self.record("a", seed=1),
            lambda: self.record("b", seed=2),
            self.check,
        ]
        self.threads = [
            threading.Thread(target=self._run, args=(one,), daemon=True) for one in work
        ]

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # handed on below
            self.errors.append(error)
        finally:
            connection.close()

    def record(self, name: str, *, seed: int) -> None:
        """Late events and events of now.

        Of a third of the organizations, and of all that become due meanwhile or later.
        """
        dice, zones = random.Random(seed), (NEW_YORK, LOS_ANGELES)
        chosen = [
            cast
            for n, cast in enumerate(self.casts)
            if n % 3 == 0 or cast.organization.timezone in zones
        ]
        for number in itertools.count():
            if self.stop.wait(0.05):
                return
            cast, now = dice.choice(chosen), self.clock.now()
            month_on = dice.choice([FEBRUARY, *cast.months, MARCH])
            at = (
                now
                if month_on == MARCH
                else dt.datetime.combine(month_on.replace(day=25), dt.time(9), dt.UTC)
            )
            sent = request(
                f"{name}-{number}", dice.choice(cast.members)[1], number=number, at=at
            )
            before = frozen_through(cast.pk)
            [answer] = record_usage([sent], organization_id=cast.pk, now=now).results
            calendar = cast.organization.calendar
            own_on, current_on = (
                calendar.month_at(at).first_on,
                calendar.month_at(now).first_on,
            )
            assert (answer.status, answer.funding) == ("recorded", "extra_usage")
            self.told.append(
                Told(
                    cast.pk,
                    sent.id,
                    own_on,
                    current_on,
                    before,
                    frozen_through(cast.pk),
                )
            )
            if number % 10 == 0:
                [again] = record_usage(
                    [sent], organization_id=cast.pk, now=self.clock.now()
                ).results
                assert again.status == "duplicate"

    def check(self) -> None:
        """Ask for one member after the other."""
        for cast in itertools.cycle(self.casts):
            if self.stop.wait(0.05):
                return
            answer = decide(
                standing_of(
                    cast.members[1][0], organization_id=cast.pk, now=self.clock.now()
                )
            )
            self.checks += 1
            if not answer.allowed:
                self.refused.append((cast.organization.slug, answer))

    def start(self) -> None:
        """All of them."""
        for one in self.threads:
            one.start()

    def go_on(self) -> None:
        """Until each thread has done enough to prove something, however busy the machine is."""
        recorded, checks = len(self.told) + 120, self.checks + 60
        wait_until(
            lambda: self.errors or (len(self.told) > recorded and self.checks > checks),
            "the bystanders' work",
        )

    def end(self) -> None:
        """Stop them; the first error is raised again."""
        self.stop.set()
        for one in self.threads:
            if one.ident:
                one.join(timeout=LONG)
        if self.errors:
            raise self.errors[0]
        assert not any(one.is_alive() for one in self.threads), (
            "a bystander does not come back"
        )


def frozen_through(organization_id: int) -> dt.date | None:
    """How far an organization's months are closed at this moment."""
    return BillingAccount.objects.values_list("frozen_through_on", flat=True).get(
        pk=organization_id
    )


@pytest.fixture
def clock(tmp_path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture
def machines(
    tmp_path, broker, clock, transactional_db, _seeded
) -> Iterator[tuple[Machines, Inbox]]:
    """Six workers, which start already, a beat, which does not yet, and the mail server."""
    # else it tells each line of each conversation
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    inbox = Inbox()
    server = MailServer(inbox)
    server.start()
    running = Machines(
        tmp_path,
        "tests.concurrency.close_worker",
        broker=broker,
        workers=WORKERS,
        EMAIL_URL=server.url,
        SIM_KILL="6",
    )
    running.names.remove("beat")
    running.tend()
    stop = threading.Event()
    keeper = threading.Thread(target=keep_alive, args=(running, stop), daemon=True)
    keeper.start()
    try:
        yield running, inbox
    finally:
        stop.set()
        keeper.join()  # nobody starts a worker any more once they are stopped
        running.stop()
        server.stop()


def keep_alive(running: Machines, stop: threading.Event) -> None:
    """Start anew whoever dies."""
    while not stop.wait(0.1):
        running.tend()


def send_closes(casts: list[Cast], broker: Broker) -> None:
    """The message of each close, half of them twice in a row, as brokers may deliver them.

    Beat's own come on top.
    """
    with broker.app() as app:
        for n, cast in enumerate(casts):
            for _time in range(1 + n % 2):
                app.send_task("billing.documents.tasks.close_months", [cast.pk])


def all_closed(casts: list[Cast]) -> bool:
    """Whether as many months are closed as are due."""
    closed = BillingMonth.objects.filter(state="closed", month_on__gte=JANUARY)
    return closed.count() == sum(len(cast.months) for cast in casts)


def in_dead_hands_alone(folder: Path) -> bool:
    """Whether each mail not marked as sent was claimed by a worker that died with it."""
    dead = Counter(
        int(line[2]) for line in happened(folder) if line[:2] == ["killed", "accepted"]
    )
    waiting = OutgoingMail.objects.waiting().values_list("pk", "attempts")
    return all(attempts == dead[pk] > 0 for pk, attempts in waiting)


def come_to_rest(casts: list[Cast], running: Machines, clock: Clock) -> None:
    """Wait until all that is due is closed and mailed.

    The claims of the dead end as the clock is set forward.
    """
    wait_until(lambda: all_closed(casts), "the last month's close", why=running.words)
    while OutgoingMail.objects.waiting().exists():
        wait_until(
            lambda: in_dead_hands_alone(running.folder),
            "the mails' rest",
            why=running.words,
        )
        clock.set(clock.now() + dt.timedelta(minutes=11))
        wait_until(
            lambda: not OutgoingMail.objects.due(clock.now()).exists(),
            "the second try",
            why=running.words,
        )


def test_p2_each_due_month_is_closed_once_whoever_dies_and_whatever_is_recorded_meanwhile(
    machines, broker, clock
):
    running, inbox = machines
    casts = make_cast()
    running.wait_for("ready", WORKERS)
    clock.set(START - dt.timedelta(minutes=5))
    bystanders = Bystanders(casts, clock)
    try:
        bystanders.start()
        bystanders.go_on()  # while every month is still open
        clock.set(START)
        send_closes(casts, broker)
        running.names.append("beat")
        come_to_rest(casts, running, clock)
        bystanders.go_on()  # now that all are closed
    finally:
        bystanders.end()
    lines = happened(running.folder)
    _somebody_died_at_each_moment_and_all_worked_at_once(lines)
    _every_due_month_is_closed_once(casts)
    _nothing_is_lost_and_all_is_in_its_month(bystanders.told)
    _documents_say_what_the_events_say(casts)
    _numbers_have_no_gap(casts)
    _each_recipient_got_each_document_once(casts, inbox, lines)
    assert bystanders.checks > 100 and bystanders.refused == []  # P4
    assert list(differences()) == []  # E8


def _somebody_died_at_each_moment_and_all_worked_at_once(
    lines: list[list[str]],
) -> None:
    assert {line[1] for line in lines if line[0] == "killed"} == {*STEPS, "accepted"}
    at_work: dict[str, str] = {}
    most = met = 0
    for line in lines:
        if line[0] == "began":
            met += line[2] in at_work.values()
            at_work[line[1]] = line[2]
        elif line[0] == "ended":
            del at_work[line[1]]
        elif line[0] == "killed" and line[1] in STEPS:
            del at_work[line[2]]
        most = max(most, len(at_work))
    proves = f"{most} workers at once, {met} times two of them in one organization"
    assert most == WORKERS and met > 10, proves


def _every_due_month_is_closed_once(casts: list[Cast]) -> None:
    found = Counter(
        BillingMonth.objects.values_list("organization_id", "month_on", "state")
    )
    before = [
        (cast.pk, DECEMBER, "closed")
        for cast in casts
        if cast.organization.created_at.month == 12
    ]
    assert found == Counter(
        [
            *before,
            *(
                (cast.pk, month_on, "closed")
                for cast in casts
                for month_on in cast.months
            ),
        ]
    )
    through = dict(
        BillingAccount.objects.values_list("organization_id", "frozen_through_on")
    )
    assert through == {cast.pk: max(cast.months, default=None) for cast in casts}


def _nothing_is_lost_and_all_is_in_its_month(told: list[Told]) -> None:
    found = {
        (organization_id, event_id): (pk, month_on)
        for pk, organization_id, event_id, month_on in UsageEvent.objects.filter(
            event_id__regex="^[ab]-"
        ).values_list("pk", "organization_id", "event_id", "month_on")
    }
    assert len(told) > 100 and set(found) == {
        (one.organization_id, one.event_id) for one in told
    }
    took: dict[tuple[int, dt.date], list[int]] = defaultdict(list)
    refused: dict[tuple[int, dt.date], list[int]] = defaultdict(list)
    seen = Counter[str]()
    for one in told:
        pk, month_on = found[one.organization_id, one.event_id]
        assert month_on in _allowed_months(one), one
        if one.own_on != one.current_on:
            (took if month_on == one.own_on else refused)[
                one.organization_id, one.own_on
            ].append(pk)
            seen["in its own month" if month_on == one.own_on else "in the next"] += 1
    assert seen["in its own month"] > 20 and seen["in the next"] > 20, seen
    # Ids are given under the organization's lock: no event entered a month after the
    # first that came too late for it.
    assert [
        key for key, pks in refused.items() if key in took and max(took[key]) > min(pks)
    ] == []
    assert set(took) & set(refused), "no month was closed between two of our events"


def _allowed_months(told: Told) -> set[dt.date]:
    """Its own month before its close, the current one after; either during it."""
    if _covers(told.before, told.own_on):
        return {told.current_on}
    if _covers(told.after, told.own_on):
        return {told.own_on, told.current_on}
    return {told.own_on}


def _covers(frozen: dt.date | None, month_on: dt.date) -> bool:
    return frozen is not None and month_on <= frozen


def _documents_say_what_the_events_say(casts: list[Cast]) -> None:
    months_on = [(cast.pk, month_on) for cast in casts for month_on in cast.months]
    spent = {
        (pk, month_on, prepaid): nanos
        for pk, month_on, prepaid, nanos in UsageEvent.objects.filter(
            funding="extra_usage"
        )
        .order_by()
        .values_list("organization_id", "month_on", "prepaid")
        .annotate(nanos=Sum("cost_nanos"))
    }
    billed = {key: spent[*key, False] for key in months_on if (*key, False) in spent}
    invoices = Invoice.objects.exclude(status="draft").values_list(
        "organization_id", "month_on", "exact_nanos"
    )
    assert sorted(invoices) == sorted((*key, nanos) for key, nanos in billed.items())
    prepaid = {cast.pk for cast in casts if cast.organization.settlement == "prepaid"}
    charged = {
        key: spent.get((*key, True), 0) for key in months_on if key[0] in prepaid
    }
    statements = Statement.objects.values_list(
        "organization_id", "month_on", "charges_nanos"
    )
    assert sorted(statements) == sorted(
        (*key, -nanos) for key, nanos in charged.items()
    )
    assert len(billed) > 100 and len(charged) > 100 and sum(billed.values()) > 0


def _numbers_have_no_gap(casts: list[Cast]) -> None:
    by_organization: dict[int, list[tuple[int | None, str]]] = defaultdict(list)
    for invoice in Invoice.objects.order_by("month_on"):
        by_organization[invoice.organization_id].append(
            (invoice.sequence, invoice.number)
        )
    for cast in casts:
        numbers = by_organization[cast.pk]
        assert numbers == [
            (n, f"{cast.organization.slug.upper()}-{n:04d}")
            for n in range(1, len(numbers) + 1)
        ]
    assert max(map(len, by_organization.values())) == 2


def _each_recipient_got_each_document_once(
    casts: list[Cast], inbox: Inbox, lines: list[list[str]]
) -> None:
    recipients = {cast.pk: cast.recipients for cast in casts}
    kinds = {"invoice": Invoice.objects.all(), "statement": Statement.objects.all()}
    documents = [(kind, one) for kind, several in kinds.items() for one in several]
    due = Counter(
        (kind, one.pk, to)
        for kind, one in documents
        for to in recipients[one.organization_id]
    )
    mails = {
        mail.message_id: mail for mail in OutgoingMail.objects.select_related("user")
    }
    assert (
        Counter((*next(iter(mail.facts.items())), mail.to) for mail in mails.values())
        == due
    )
    assert all(mail.sent_at and not mail.last_error for mail in mails.values())
    # Beside the Message-IDs: what the server saw, by recipient and attachment.
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for to, message_id, name in inbox.accepted:
        assert mails[message_id].to == to
        ids[to, name].add(message_id)
    assert len(ids) == len(mails) and all(len(one) == 1 for one in ids.values())
    lost_marks = Counter(
        int(line[2]) for line in lines if line[:2] == ["killed", "accepted"]
    )
    times = Counter(mails[message_id].pk for _to, message_id, _name in inbox.accepted)
    assert times == {mail.pk: 1 + lost_marks[mail.pk] for mail in mails.values()}


@pytest.fixture
def acme(transactional_db, _seeded) -> Organization:
    """Acme in New York with a member and an event of ten cents in February."""
    return make_acme("acme")


CLOSING = NEW_YORK_IS_DUE + dt.timedelta(seconds=1)
LATE = dt.datetime(2027, 2, 28, 22, 0, tzinfo=dt.UTC)


def make_acme(slug: str) -> Organization:
    """One such organization, without any included usage."""
    organization = make_organization(
        slug,
        owner=make_user(f"owner@{slug}.example", "Olive"),
        now=dt.datetime(2027, 2, 3, tzinfo=dt.UTC),
        plan="enterprise_usage",
        timezone=NEW_YORK,
        billing_email=f"owner@{slug}.example",
    )
    enable_extra_usage(organization)
    MembershipFactory(
        organization=organization, user=make_user(f"mia@{slug}.example", "Mia")
    )
    february = dt.datetime(2027, 2, 20, tzinfo=dt.UTC)
    record_usage(
        [event(f"mia@{slug}.example", id="first", at=february)],
        organization_id=organization.pk,
        now=february,
    )
    return organization


def late_event(organization: Organization, *, now: dt.datetime = CLOSING) -> dt.date:
    """Record an event of February once its grace time is over; the month it went to."""
    sent = event(f"mia@{organization.slug}.example", id="late", at=LATE)
    [answer] = record_usage([sent], organization_id=organization.pk, now=now).results
    assert answer.status == "recorded"
    return UsageEvent.objects.get(organization=organization, event_id="late").month_on


def test_p2_eight_who_close_one_month_at_once_make_one_invoice_with_one_number(acme):
    answers = run_together(8, lambda number: closing.close_due(acme.pk, now=CLOSING))
    [month], [invoice] = BillingMonth.objects.all(), Invoice.objects.all()
    assert (month.month_on, month.state) == (FEBRUARY, "closed")
    assert (invoice.sequence, invoice.number, invoice.exact_nanos) == (
        1,
        "ACME-0001",
        usd("0.10"),
    )
    assert invoice.lines.filter(kind="usage").count() == 1
    # One of them issued it; the others found it done, or in other hands.
    assert sum(one.invoice is not None for answer in answers for one in answer) == 1
    assert [mail.to for mail in OutgoingMail.objects.all()] == ["owner@acme.example"]
    assert list(differences()) == []


def test_control_without_the_lock_only_the_database_keeps_a_month_from_being_closed_twice(
    acme, monkeypatch
):
    """Without it two find the month open; `one_close_per_month` refuses the second."""
    barrier, check = threading.Barrier(2), months.check_may_close

    def both_check_before_either_writes(organization, **facts):
        check(organization, **facts)
        barrier.wait(timeout=LONG)

    monkeypatch.setattr(
        months, "lock_organization", lambda pk: Organization.objects.get(pk=pk)
    )
    monkeypatch.setattr(months, "check_may_close", both_check_before_either_writes)
    with pytest.raises(IntegrityError, match="one_close_per_month"):
        run_together(
            2,
            lambda number: months.freeze_month(acme.pk, month_on=FEBRUARY, now=CLOSING),
        )
    assert BillingMonth.objects.count() == 1


@pytest.fixture
def has_lock(monkeypatch) -> list[threading.Event]:
    """Set as soon as the recorder, and the one who freezes, holds the organization's lock."""
    recorder = threading.Event()
    freezer = threading.Event()
    monkeypatch.setattr(recording, "write", _telling(recorder, recording.write))
    monkeypatch.setattr(
        months, "check_may_close", _telling(freezer, months.check_may_close)
    )
    return [recorder, freezer]


def _telling(event_: threading.Event, act: Callable[..., Any]) -> Callable[..., Any]:
    def acting(*args: Any, **facts: Any) -> Any:
        event_.set()
        return act(*args, **facts)

    return acting


def test_p1_an_event_that_races_the_freeze_is_billed_in_one_month_or_the_next(
    acme, has_lock
):
    """Fifteen times, in three ways by turns.

    The event has the lock when the freeze begins, the freeze has it when the event
    comes, or nobody is helped.
    """
    raced = [acme, *(make_acme(f"acme{n}") for n in range(1, 15))]
    ended = []
    for n, organization in enumerate(raced):
        for lock_is_held in has_lock:
            lock_is_held.clear()
        first = (0, 1, None)[n % 3]

        def race(number, organization=organization, first=first):
            if first not in (number, None):
                assert has_lock[first].wait(timeout=LONG)
            return (
                late_event(organization)
                if number == 0
                else closing.close_due(organization.pk, now=CLOSING)
            )

        placed, _closed = run_together(2, race)
        invoice = Invoice.objects.get(organization=organization)
        assert (placed, invoice.exact_nanos) in [
            (FEBRUARY, usd("0.20")),
            (MARCH, usd("0.10")),
        ]
        ended.append(placed)
    assert set(ended[0::3]) == {FEBRUARY} and set(ended[1::3]) == {MARCH}, ended
    assert list(differences()) == []


def test_control_without_the_recorders_lock_an_event_slips_into_a_month_that_is_billed_already(
    acme, monkeypatch
):
    """Written while the month was open, committed after its invoice: only the books tell."""
    wrote = threading.Event()
    closed = threading.Event()
    lock_sql = recording._lock_sql
    write = recording.write

    def write_and_wait(*args, **facts):
        write(*args, **facts)
        run("SELECT 1").rows()  # whatever was sent before is written by then
        wrote.set()
        assert closed.wait(timeout=LONG)

    def work(number):
        if number == 0:
            return late_event(acme)
        assert wrote.wait(timeout=LONG)
        closing.close_due(acme.pk, now=CLOSING)
        return closed.set()

    monkeypatch.setattr(
        recording,
        "_lock_sql",
        lambda opener: lock_sql(opener).removesuffix(" FOR NO KEY UPDATE OF o"),
    )
    monkeypatch.setattr(recording, "write", write_and_wait)
    assert run_together(2, work)[0] == FEBRUARY
    [difference] = differences()
    assert (difference.column, difference.kept, difference.proven) == (
        "exact_nanos",
        usd("0.10"),
        usd("0.20"),
    )


def test_control_a_recorder_that_does_not_know_of_the_close_is_refused_by_the_database(
    acme, monkeypatch
):
    """Placed by its own month alone, an event would change a bill that was sent.

    The trigger keeps it out.
    """
    closing.close_due(acme.pk, now=CLOSING)
    place = batch.place

    def by_its_own_month(at, **facts):
        return place(at, **{**facts, "closed_through": JANUARY})

    with monkeypatch.context() as patch:
        patch.setattr(batch, "place", by_its_own_month)
        with pytest.raises(IntegrityError, match="the billing month is closed"):
            late_event(acme)
    assert (
        not UsageEvent.objects.filter(event_id="late").exists()
        and list(differences()) == []
    )
    assert late_event(acme) == MARCH
    assert (
        Invoice.objects.get().exact_nanos == usd("0.10") and list(differences()) == []
    )
