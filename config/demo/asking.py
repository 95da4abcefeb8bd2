"""Who asked for more at Acme, now and in earlier months, and what was answered: through
the same acts as on the pages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from accounts.models import Membership, Organization
from config.demo.usage import Happening, use_everything_up
from config.kit.money import usd
from requests_inbox.actions.asking import send_request
from requests_inbox.actions.deciding import (
    Reviewer,
    dismiss_request,
    increase_limit,
)
from requests_inbox.models import UsageRequest

# Who asks for more, how many hours ago, with which note and amount in USD a month.
WAITING = [
    ("sofia.marino", 52, "", None),
    ("lukas.brandt", 22, "Incident review for the payments team until Friday.", 90),
    ("wei.chen", 3, "Finishing the billing migration before Thursday.", 60),
]
# Who asked how many months ago, on which day, with which note and amount; the new cap of
# that month (None: dismissed), after how many minutes, by whom, with which note.
ANSWERED = [
    ("ravi.menon", 1, 21, "Load tests for the release.", 160, 160, 41, "owner", ""),
    ("wei.chen", 1, 23, "Migration of the ledger.", None, 120, 125, "admin", ""),
    (
        "omar.farouk",
        1,
        25,
        "Trying the new model on old tickets.",
        120,
        None,
        190,
        "admin",
        "That can wait for the new month.",
    ),
    ("lukas.brandt", 2, 24, "", 120, 120, 9, "admin", "Tell me if it stays this high."),
]


def requests_that_wait(
    acme: Organization, by_name: dict[str, Membership], *, now: dt.datetime
) -> list[Happening]:
    """Those of some hours ago, but of this month."""
    month = acme.calendar.month_at(now)
    return [
        (
            max(month.start, now - dt.timedelta(hours=hours)),
            _asking(by_name[name], note, amount),
        )
        for name, hours, note, amount in WAITING
    ]


def requests_answered(
    acme: Organization,
    by_name: dict[str, Membership],
    *,
    since: dt.datetime,
    now: dt.datetime,
) -> list[Happening]:
    """Those of earlier months with their answers, as far back as the demo goes."""
    happenings: list[Happening] = []
    for name, ago, day, note, asked, granted, minutes, by, answer in ANSWERED:
        month = acme.calendar.month_at(now)
        for _month in range(ago):
            month = acme.calendar.month_at(month.start - dt.timedelta(days=1))
        asked_at = month.start + dt.timedelta(days=day, hours=10, minutes=day)
        if asked_at < since:
            continue
        happenings += [
            (asked_at, _asking(by_name[name], note, asked)),
            (
                asked_at + dt.timedelta(minutes=minutes),
                _answering(by_name[name], by_name[by], granted, answer),
            ),
        ]
    return happenings


def _asking(
    member: Membership, note: str, amount: int | None
) -> Callable[[dt.datetime], None]:
    """Somebody runs into a limit and asks for more."""

    def happen(at: dt.datetime) -> None:
        use_everything_up(member, now=at)
        send_request(
            member,
            note=note,
            asked_nanos=None if amount is None else usd(amount),
            now=at,
        )

    return happen


def _answering(
    member: Membership, reviewer: Membership, granted: int | None, note: str
) -> Callable[[dt.datetime], None]:
    """A reviewer increases the limit for that month, or dismisses with a note."""

    def happen(at: dt.datetime) -> None:
        pending = UsageRequest.objects.pending().get(membership=member)
        by = Reviewer.person(reviewer)
        if granted is None:
            dismiss_request(
                member.organization, request_id=pending.pk, note=note, by=by, now=at
            )
        else:
            increase_limit(
                member.organization,
                request_id=pending.pk,
                amount_nanos=usd(granted),
                this_month_only=True,
                by=by,
                now=at,
            )

    return happen
