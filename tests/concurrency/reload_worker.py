"""Starts Celery as the product does, with a slow test gateway, fast sweeps, and SIGKILL
around each payment.

`python -m tests.concurrency.reload_worker`; environment: SIM_FOLDER,
SIM_KILL (chance of each moment).
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from tests.concurrency.dying import CHANCE, FOLDER, maybe_die, note, pick, run_celery
from tests.concurrency.machines import happened

JOBS = ("reload-due-balances", "settle-unknown")


def die_at_times(where: str, row_id: int) -> None:
    """By chance; surely the second time that a moment comes and nobody has died at it."""
    lines = happened(FOLDER)
    is_spared = not any(line[:2] == ["killed", where] for line in lines)
    maybe_die(
        where,
        row_id,
        surely=CHANCE > 0 and is_spared and sum(line[0] == where for line in lines) > 1,
    )


def install() -> None:
    """Put notes and deaths between started, paid and settled; what is left behind is
    taken up after two seconds.
    """
    from billing.models.payments import PaymentQuerySet
    from billing.payments import processing
    from billing.payments.actions import reloads, settling
    from billing.payments.gateways.sandbox import SandboxGateway

    PaymentQuerySet.claim_lasts = dt.timedelta(seconds=2)
    PaymentQuerySet.waits = (dt.timedelta(seconds=1),)
    start = processing.start_reload_if_due
    pay = SandboxGateway.pay
    settle = processing.settle_payment

    def starting(*args: Any, **options: Any) -> Any:
        started = start(*args, **options)
        if started.payment is not None:
            note("started", started.payment.pk)
            die_at_times("started", started.payment.pk)
        return started

    def slow_pay(self: Any, order: Any) -> Any:
        time.sleep(pick.uniform(0.02, 0.2))
        outcome = pay(self, order)
        note("paid", order.key)
        die_at_times("paid", 0)
        return outcome

    def settling_payment(payment_id: int, *args: Any, **options: Any) -> Any:
        settled = settle(payment_id, *args, **options)
        note("settled", payment_id)
        die_at_times("settled", payment_id)
        return settled

    processing.start_reload_if_due = starting
    SandboxGateway.pay = slow_pay
    processing.settle_payment = settling_payment
    new_payment = reloads.new_payment
    post_entry = settling.post_entry

    def buying(*args: Any, **facts: Any) -> Any:
        payment = new_payment(*args, **facts)
        note("bought", payment.pk)  # still under the organization's lock
        return payment

    def booking(*args: Any, **facts: Any) -> Any:
        note("booked", facts["payment"].pk)
        return post_entry(*args, **facts)

    reloads.new_payment = buying
    settling.post_entry = booking


def main() -> None:
    """Celery's own command line, for each who is asked for."""
    import django

    django.setup()
    install()
    run_celery(jobs=JOBS, tick=0.25)


if __name__ == "__main__":
    main()
