"""Starts Celery as the product does, with a slow test gateway, fast sweeps, and SIGKILL
around each payment.

`python -m tests.concurrency.reload_worker worker|beat …`; environment: SIM_FOLDER,
SIM_KILL (chance of each moment).
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from tests.concurrency.dying import maybe_die, note, pick, run_celery

JOBS = ("tend-balances", "settle-unknown")


def install() -> None:
    """Put notes and deaths between started, paid and settled; what is left behind is
    taken up after two seconds.
    """
    from billing.payments import processing
    from billing.payments.actions import purchases
    from billing.payments.gateways.sandbox import SandboxGateway

    purchases.CLAIM = dt.timedelta(seconds=2)
    purchases.WAITS = [dt.timedelta(seconds=1)]
    tend, pay, settle = (
        processing.tend_balance,
        SandboxGateway.pay,
        processing.settle_payment,
    )

    def tending(*args: Any, **options: Any) -> Any:
        tended = tend(*args, **options)
        if tended.payment is not None:
            note("started", tended.payment.pk)
            maybe_die("started", tended.payment.pk)
        return tended

    def slow_pay(self: Any, order: Any) -> Any:
        time.sleep(pick.uniform(0.02, 0.2))
        outcome = pay(self, order)
        note("paid", order.key)
        maybe_die("paid", 0)
        return outcome

    def settling(payment_id: int, *args: Any, **options: Any) -> Any:
        settled = settle(payment_id, *args, **options)
        note("settled", payment_id)
        maybe_die("settled", payment_id)
        return settled

    processing.tend_balance, SandboxGateway.pay, processing.settle_payment = (
        tending,
        slow_pay,
        settling,
    )


def main() -> None:
    """Celery's own command line."""
    import django

    django.setup()
    install()
    run_celery(jobs=JOBS, tick=0.25)


if __name__ == "__main__":
    main()
