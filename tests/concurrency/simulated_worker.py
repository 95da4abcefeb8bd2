"""Starts Celery as the product does, with a clock read from a file, a fast beat, and
SIGKILL at chosen moments of sending.

`python -m tests.concurrency.simulated_worker worker|beat …`; environment: SIM_FOLDER,
SIM_KILL (chance of each moment), SIM_JOBS (of the schedule).
"""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

from tests.concurrency.dying import FOLDER, maybe_die, note, run_celery

DIGESTS = "send-due-mails prepare-digests end-requests"
JOBS = tuple(os.environ.get("SIM_JOBS", DIGESTS).split())


def simulated_now() -> dt.datetime:
    """The clock of the test."""
    return dt.datetime.fromisoformat((FOLDER / "clock").read_text())


def install() -> None:
    """Put clock, notes and deaths around what the product does."""
    from django.utils import timezone

    timezone.now = simulated_now  # type: ignore[assignment]

    from accounts import delivery, tasks
    from accounts.models import OutgoingMail

    claim, send, mark = delivery.claim_mail, delivery.send, delivery.mark_sent
    held: list[int] = []

    def claiming(mail_id: int, **options: Any) -> OutgoingMail | None:
        mail = claim(mail_id, **options)
        if mail is not None:
            held[:] = [mail_id]
            note("claimed", mail_id)
            maybe_die("claimed", mail_id)
        return mail

    def sending(*args: Any, **options: Any) -> None:
        send(*args, **options)
        note("accepted", held[0])
        maybe_die("accepted", held[0])

    def marking(mail: OutgoingMail, **options: Any) -> None:
        mark(mail, **options)
        note("marked", mail.pk)
        maybe_die("marked", mail.pk)

    delivery.claim_mail, delivery.send, delivery.mark_sent = claiming, sending, marking
    from requests_inbox import tasks as inbox_tasks

    _note_when_done(tasks, "send_due_mails")
    _note_when_done(inbox_tasks, "prepare_digests")
    _die_while_telling()


def _die_while_telling() -> None:
    """Between the notice's row, its claim, and the commit; and right after it."""
    from billing.notices import tasks as notice_tasks
    from billing.notices.actions import telling

    find, queue, tell = telling.told_of, telling.queue_mails, notice_tasks.tell
    held: list[int] = []

    def finding(notice: Any, **options: Any) -> Any:
        held[:] = [notice.pk]
        note("telling", notice.pk)
        maybe_die("telling", notice.pk)
        return find(notice, **options)

    def queueing(*args: Any, **options: Any) -> Any:
        mails = queue(*args, **options)
        maybe_die("queued", held[0])
        return mails

    def done(notice_id: int, **options: Any) -> Any:
        held.clear()
        mails = tell(notice_id, **options)
        if held:  # not where somebody else had told it
            note("told", notice_id)
            maybe_die("told", notice_id)
        return mails

    telling.told_of, telling.queue_mails = finding, queueing
    notice_tasks.tell = done
    _note_when_done(notice_tasks, "tell_notices")


def _note_when_done(module: Any, name: str) -> None:
    """Say at which simulated time a sweep was through."""
    task = getattr(module, name)
    run = task.run

    def running(*args: Any, **options: Any) -> Any:
        began = (FOLDER / "clock").read_text()
        answer = run(*args, **options)
        note("swept", name, began)
        return answer

    task.run = running


def main() -> None:
    """Celery's own command line."""
    import django

    django.setup()
    install()
    run_celery(jobs=JOBS, tick=0.25)


if __name__ == "__main__":
    main()
