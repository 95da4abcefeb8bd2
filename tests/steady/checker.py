"""What was acknowledged against what is stored: each finding is a sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from tests.steady.journal import Journal
from tests.steady.stage import Stage

EVENTS = (
    "SELECT o.slug, e.event_id, e.funding, e.cost_nanos FROM billing_usageevent e JOIN"
    " accounts_organization o ON o.id = e.organization_id"
)
# Payments without exactly one entry, and pretended money that is nobody's payment.
PAYMENTS = """
SELECT 'payment ' || p.key || ' (' || p.status || ') has ' || count(l.id) || ' entries'
  FROM billing_payment p
  LEFT JOIN billing_ledgerentry l ON l.payment_id = p.id
       AND l.kind IN ('purchase', 'reload')
 GROUP BY p.id HAVING count(l.id) <> CASE WHEN p.status = 'succeeded' THEN 1 ELSE 0 END
UNION ALL
SELECT 'the gateway took ' || s.key || ', which is ' || coalesce(p.status, 'unknown')
  FROM billing_sandboxpayment s LEFT JOIN billing_payment p ON p.key = s.key
 WHERE s.status = 'succeeded' AND p.status IS DISTINCT FROM 'succeeded'
"""
WAITING = """
SELECT 'mail ' || kind || ' waits: ' || last_error FROM accounts_outgoingmail
 WHERE sent_at IS NULL AND dropped_at IS NULL AND next_try_at < now() - interval '90 s'
UNION ALL
SELECT 'payment ' || key || ' is not settled' FROM billing_payment
 WHERE status = 'started' AND next_check_at < now() - interval '90 s'
UNION ALL
SELECT 'payment ' || key || ' was taken and is not booked' FROM billing_payment
  JOIN billing_sandboxpayment s USING (key)
 WHERE billing_payment.status = 'started' AND s.status = 'succeeded'
"""
SWEEPS = {  # and how often beat starts each, in seconds
    "accounts.tasks.send_due_mails": 30,
    "billing.payments.tasks.reload_due_balances": 30,
    "billing.payments.tasks.settle_unknown": 30,
    "accounts.tasks.write_down_key_use": 60,
}
SUCCEEDED = re.compile(r'"job": "([\w.]+)".*"outcome": "succeeded"')


def findings(stage: Stage, journal: Journal) -> list[str]:
    """All that is wrong with events and money, but for what still waits."""
    audit = stage.run("manage.py", "audit_books")
    with stage.postgresql.connect() as line:
        money = [said for (said,) in line.execute(PAYMENTS)]
    if "books are clean" not in audit:
        money.append(audit)
    return [*differences(stage, journal), *money]


def differences(stage: Stage, journal: Journal) -> list[str]:
    """Between what was sent and told, and what is stored."""
    with stage.postgresql.connect() as line:
        stored = line.execute(EVENTS).fetchall()
    return [*_refused(journal), *_events(journal, stored), *_batches(journal, stored)]


def _refused(journal: Journal) -> Iterator[str]:
    """Answers that no outage excuses: an error of ours, or a refusal of good events."""
    odd = Counter(
        (one.kind, one.status, one.error)
        for one in journal.attempts
        if one.status not in (0, 200, 503)
    )
    for (kind, status, error), count in odd.items():
        yield f"{count} × {kind} answered {status}: {error}"


def _events(journal: Journal, stored: list[tuple[str, str, str, int]]) -> Iterator[str]:
    kept: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for slug, event_id, funding, nanos in stored:
        kept.setdefault((slug, event_id), []).append((funding, nanos))
    for event, answers in journal.told.items():
        rows = kept.get(event, [])
        if len(rows) != 1:
            yield f"{event} was acknowledged and is stored {len(rows)} times"
            continue
        for status, funding, cost in answers:
            told = funding, int(Decimal(cost or -1) * 10**9)
            if status not in ("recorded", "duplicate") or told != rows[0]:
                yield f"{event} was told {status}, {told} and is stored as {rows[0]}"
        if sum(status == "recorded" for status, *_rest in answers) > 1:
            yield f"{event} was told to be recorded twice"
    sent = {
        (slug, event_id)
        for slug, bodies in journal.sent.items()
        for ids in bodies
        for event_id in ids
    }
    for event in kept.keys() - sent:
        yield f"{event} is stored and was never sent"


def _batches(
    journal: Journal, stored: list[tuple[str, str, str, int]]
) -> Iterator[str]:
    kept = {(slug, event_id) for slug, event_id, *_rest in stored}
    for slug, bodies in journal.sent.items():
        for ids in bodies:
            there = sum((slug, event_id) in kept for event_id in ids)
            if there not in (0, len(ids)):
                yield f"of a batch of {len(ids)} in {slug} {there} are stored"


def doubled_mails(stage: Stage, faults: list[tuple[float, float]]) -> list[str]:
    """Mails that were sent twice though no fault lay between.

    A worker that dies between the mail server's word and its own mark can't know: the
    mail goes out again with the same Message-ID, by which it is known for one.
    """
    times: dict[tuple[str, str], list[float]] = {}
    for message_id, recipient, taken_at in stage.letters.taken:
        times.setdefault((message_id, recipient), []).append(taken_at)
    return [
        f"mail {message_id} to {recipient} was sent {len(several)} times"
        for (message_id, recipient), several in times.items()
        if len(several) > 1
        and not any(several[0] - 1 <= began <= several[1] for began, _back in faults)
    ]


def unsettled(stage: Stage) -> list[str]:
    """What the sweeps should have done long ago."""
    with stage.postgresql.connect() as line:
        return [said for (said,) in line.execute(WAITING)]


def sweeps(stage: Stage) -> Counter[str]:
    """How often each task succeeded, by the worker's own log."""
    return Counter(SUCCEEDED.findall((stage.folder / "worker.log").read_text()))


def missed_sweeps(stage: Stage, seconds: float) -> list[str]:
    """Sweeps that ran less than half as often as they should have in that time."""
    ran = sweeps(stage)
    return [
        f"{task} succeeded {ran[task]} times in {seconds:.0f} s"
        for task, every in SWEEPS.items()
        if ran[task] < int(seconds / every / 2)
    ]
