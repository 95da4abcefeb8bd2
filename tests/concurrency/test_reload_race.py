"""T4, T5: a thousand charges from 16 threads cross the threshold again and again while
4 workers reload, also when they die.

PostgreSQL and Redis; the workers are processes of their own. What was bought is held
against the gateway's own record.
"""

from __future__ import annotations

import threading
import time

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import OutgoingMail
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    LedgerEntry,
    Payment,
    PendingCharge,
    SandboxPayment,
)
from billing.payments import processing
from billing.payments.actions import reloads
from config.kit.money import NANOS_PER_CENT, usd
from tests.concurrency.machines import Broker, Machines, happened
from tests.concurrency.threads import run_together
from tests.factories.balances import balance, make_bolt, turn_on, use_up_included
from tests.factories.usage import event
from tests.waiting import LONG, wait_until

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
]
THREADS, CHARGES = 16, 1_000
MODULE = "tests.concurrency.reload_worker"


@pytest.fixture
def bolt(transactional_db, _seeded):
    """Bolt with $100, cap $1,000, auto-reload of $50 at $25."""
    now = timezone.now()
    made = make_bolt(now=now)
    use_up_included(made)
    turn_on(made, balance="100", reload=("25", "50"), now=now)
    return made


def charge_from_all_threads(bolt, broker: Broker, *, usd_each: str) -> None:
    """A thousand charges; whoever crosses the threshold calls a worker, as the API
    does.

    The second half waits for a first reload, so that the threshold is crossed again
    also where workers are slow.
    """
    app = broker.app()

    def work(number: int) -> None:
        for index in range(number, CHARGES, THREADS):
            if index >= CHARGES // 2:
                wait_until(
                    Payment.objects.filter(purpose="reload").exists, "the first reload"
                )
            now = timezone.now()
            sent = event("mia@bolt.example", id=f"charge-{index}", at=now, usd=usd_each)
            recorded = record_usage([sent], organization_id=bolt.pk, now=now)
            if recorded.balance_crossed:
                app.send_task("billing.payments.tasks.reload_if_due", [bolt.pk])

    run_together(THREADS, work)


def come_to_rest(bolt, machines: Machines) -> None:
    """Until the balance is above the threshold again and no payment is unsettled; then
    another three seconds, in which a reload too many would come.
    """
    is_settled = lambda: not Payment.objects.unsettled().exists()  # noqa: E731
    wait_until(
        lambda: balance(bolt) > usd(25) and is_settled(),
        "the last reload",
        why=machines.words,
    )
    time.sleep(3)
    wait_until(is_settled, "the reloads' rest", why=machines.words)


def keep_alive(machines: Machines, stop: threading.Event) -> None:
    """Start anew whoever dies, while the charges run."""
    while not stop.wait(0.1):
        machines.tend()


@pytest.mark.parametrize("kill", [0, 30])
def test_t4_exactly_the_reloads_the_rules_allow_one_at_a_time(
    bolt, broker, tmp_path, kill
):
    """$100 + reloads - $300 must end above $25 and at most $50 beyond it: five reloads'
    worth, however it is split.
    """
    machines, stop = (
        Machines(tmp_path, MODULE, broker=broker, workers=4, SIM_KILL=str(kill)),
        threading.Event(),
    )
    machines.tend()
    keeper = threading.Thread(target=keep_alive, args=(machines, stop), daemon=True)
    try:
        machines.wait_for("ready", 4)  # so that they and the charges really meet
        keeper.start()
        charge_from_all_threads(bolt, broker, usd_each="0.30")
        come_to_rest(bolt, machines)
    finally:
        stop.set()
        if keeper.ident:  # nobody starts a worker any more once they are stopped
            keeper.join()
        machines.stop()
    lines = happened(tmp_path)
    bought = list(Payment.objects.filter(purpose="reload").order_by("pk"))
    assert sum(one.amount_nanos for one in bought) == usd(250)
    assert balance(bolt) == usd(50) and {one.status for one in bought} == {"succeeded"}
    assert len(bought) > 1
    _one_at_a_time(bought, lines)
    _no_more_than_needed(bolt)
    _the_gateway_agrees(bought)
    killed = {line[1] for line in lines if line[0] == "killed"}
    assert killed == ({"started", "paid", "settled"} if kill else set())
    # Each start was the only one of its payment, whoever settled it.
    starts = [line[1] for line in lines if line[0] == "started"]
    assert len(starts) == len(set(starts)) == len(bought)


def _one_at_a_time(bought: list[Payment], lines: list[list[str]]) -> None:
    """Told under the organization's lock: the next was decided on after the last was in
    the books.
    """
    told = [line for line in lines if line[0] in ("bought", "booked")]
    assert told == [
        [what, str(one.pk)] for one in bought for what in ("bought", "booked")
    ]


def _no_more_than_needed(bolt) -> None:
    """One amount less would have left the balance at or below the threshold."""
    for entry in LedgerEntry.objects.filter(organization=bolt, kind="reload"):
        assert entry.balance_nanos - usd(50) <= usd(25)


def _the_gateway_agrees(bought: list[Payment]) -> None:
    theirs = {
        one.key: one.amount_cents * NANOS_PER_CENT
        for one in SandboxPayment.objects.filter(status="succeeded")
    }
    ours = {
        one.key: one.amount_nanos for one in Payment.objects.filter(status="succeeded")
    }
    assert theirs == ours and {one.key for one in bought} < set(ours)
    assert list(differences()) == []
    account = BillingAccount.objects.get()
    assert account.pending_nanos == sum(
        PendingCharge.objects.values_list("amount_nanos", flat=True)
    )


def test_t4_sixteen_who_look_after_one_balance_at_once_start_one_reload(bolt):
    now = timezone.now()
    record_usage(
        [event("mia@bolt.example", at=now, usd="80")], organization_id=bolt.pk, now=now
    )
    run_together(THREADS, lambda number: processing.reload_if_due(bolt.pk, now=now))
    assert Payment.objects.filter(purpose="reload").count() == 1 and balance(
        bolt
    ) == usd(70)


def test_control_without_the_lock_only_the_database_keeps_a_second_reload_away(
    bolt, monkeypatch
):
    """The lock taken away: several decide to buy, and all but one are refused by
    `one_payment_in_flight`.
    """
    from accounts.models import Organization

    now = timezone.now()
    record_usage(
        [event("mia@bolt.example", at=now, usd="80")], organization_id=bolt.pk, now=now
    )
    monkeypatch.setattr(
        reloads, "lock_organization", lambda pk: Organization.objects.get(pk=pk)
    )
    barrier = threading.Barrier(2)
    decide = reloads.reload_now

    def both_decide_before_either_writes(state, *, now):
        decision = decide(state, now=now)
        barrier.wait(timeout=LONG)
        return decision

    monkeypatch.setattr(reloads, "reload_now", both_decide_before_either_writes)
    with pytest.raises(IntegrityError, match="one_payment_in_flight"):
        run_together(2, lambda number: reloads.start_reload_if_due(bolt.pk, now=now))
    assert Payment.objects.filter(purpose="reload").count() == 1
    assert not OutgoingMail.objects.filter(kind="balance.exhausted").exists()
