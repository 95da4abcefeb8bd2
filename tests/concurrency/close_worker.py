"""Starts Celery as the product does, and kills it between the steps of a close.

Its clock is set forward and its sweeps are fast.
`python -m tests.concurrency.close_worker`; environment: SIM_FOLDER,
SIM_KILL (chance of each moment). The PDF of a mail is a stub: what is tried here is who
gets it and how often, and typesetting takes longest of all.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import Any

from tests.concurrency.dying import FOLDER, maybe_die, note, run_celery
from tests.concurrency.machines import happened

JOBS = ("close-months", "send-due-mails")
# Deaths at each of the moments: starting anew is what costs time.
MOST = 2


def ahead() -> dt.timedelta:
    """How far the test's clock is ahead of the machine's."""
    return dt.timedelta(seconds=float((FOLDER / "ahead").read_text()))


def now() -> dt.datetime:
    """What the test's clock shows: it runs like any other, but elsewhere."""
    return dt.datetime.now(dt.UTC) + ahead()


def die_at_times(where: str, row_id: int) -> None:
    """By chance, a few times at most."""
    if sum(line[:2] == ["killed", where] for line in happened(FOLDER)) < MOST:
        maybe_die(where, row_id)


def install() -> None:
    """Put notes and deaths after each committed step, and before a mail's mark."""
    from django.utils import timezone

    timezone.now = now  # type: ignore[assignment]
    from config.kit import clock

    # The database server's runs where the machine's is.
    clock.HostClock.agree = lambda host, database_time: host.asked_at  # type: ignore[method-assign]

    from accounts import delivery
    from billing.documents import closing, mails

    mails.documents.kept_pdf = lambda document: b"%PDF-1.7 stub"
    close_due = closing.close_due

    def closing_due(organization_id: int, **options: Any) -> Any:
        note("began", os.getpid(), organization_id)
        closed = close_due(organization_id, **options)
        note("ended", os.getpid(), organization_id, len(closed))
        return closed

    closing.close_due = closing_due
    for step in ("freeze_month", "draft_month", "finish_month"):
        setattr(closing, step, _dying_after(step, getattr(closing, step)))
    claim, send = delivery.claim_mail, delivery.send
    held: list[int] = []

    def claiming(mail_id: int, **options: Any) -> Any:
        mail = claim(mail_id, **options)
        held[:] = [mail_id] if mail else []
        return mail

    def sending(*args: Any, **options: Any) -> None:
        send(*args, **options)
        note("accepted", held[0])
        die_at_times("accepted", held[0])

    delivery.claim_mail, delivery.send = claiming, sending


def _dying_after(step: str, act: Callable[..., Any]) -> Callable[..., Any]:
    """The same act; whoever is through with it may die before anything else happens."""

    def acting(*args: Any, **options: Any) -> Any:
        answer = act(*args, **options)
        note(step, os.getpid(), args[0])
        die_at_times(step, os.getpid())
        return answer

    return acting


def main() -> None:
    """Celery's own command line, for each who is asked for."""
    import django

    django.setup()
    install()
    run_celery(jobs=JOBS, tick=4)


if __name__ == "__main__":
    main()
