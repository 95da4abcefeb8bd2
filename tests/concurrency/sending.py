"""What tests of workers that send mails share: the mailbox, the simulated clock, and
when nothing is left to do at a time.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

from accounts.models import OutgoingMail
from tests.concurrency.machines import Machines, happened
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Accepted:
    """A mail that the server took, at the simulated time."""

    to: str
    message_id: str
    at: dt.datetime
    subject: str


class Inbox:
    """What the mail server has accepted; only what stops at one click counts."""

    def __init__(self, clock: Path) -> None:
        self.clock = clock
        self.accepted: list[Accepted] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take it."""
        message = message_from_bytes(envelope.content)
        if message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click":
            moment = dt.datetime.fromisoformat(self.clock.read_text())
            subject = str(make_header(decode_header(message["Subject"])))
            self.accepted.append(
                Accepted(envelope.rcpt_tos[0], message["Message-ID"], moment, subject)
            )
        return "250 OK"


def set_clock(folder: Path, now: dt.datetime) -> None:
    """In one step, so that nobody reads half a time."""
    fresh = folder / "clock.new"
    fresh.write_text(now.isoformat())
    fresh.rename(folder / "clock")


def wait_until_quiet(
    machines: Machines,
    now: dt.datetime,
    *,
    also: Callable[[], bool] = lambda: True,
) -> None:
    """Until both sweeps ran at this time, nothing is due, every claim is done or its
    worker is dead, and `also`.
    """

    def is_quiet() -> bool:
        machines.tend()
        lines = happened(machines.folder)
        swept = {
            line[1]
            for line in lines
            if line[0] == "swept" and line[2] == now.isoformat()
        }
        dead = Counter(
            int(line[2])
            for line in lines
            if line[0] == "killed" and line[1] in ("claimed", "accepted")
        )
        waiting = OutgoingMail.objects.waiting().values_list(
            "pk", "attempts", "next_try_at"
        )
        busy = [
            pk
            for pk, attempts, next_try_at in waiting
            if next_try_at <= now or attempts > dead[pk]
        ]
        return len(swept) == 2 and not busy and also()

    wait_until(is_quiet, f"the jobs' rest at {now}", why=machines.words)


def unexplained_repeats(inbox: Inbox, lines: list[list[str]]) -> dict[int, int]:
    """Mails that came again more often than a worker died between the server's
    acceptance and the mark.
    """
    ids = dict(OutgoingMail.objects.values_list("message_id", "pk"))
    lost_marks = Counter(
        int(line[2]) for line in lines if line[:2] == ["killed", "accepted"]
    )
    repeats = Counter(ids[one.message_id] for one in inbox.accepted)
    # Not equal: a mail whose mark was lost is dropped rather than repeated when nothing
    # waits any more.
    return {
        pk: count - 1 for pk, count in repeats.items() if count - 1 > lost_marks[pk]
    }
