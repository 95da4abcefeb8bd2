"""A simulated week of digests with real Celery workers and beat on Redis, an SMTP
server on loopback, and SIGKILLs (R6).

Organizations in Tokyo, Los Angeles (whose clocks go forward that week) and UTC. Two
workers run the same jobs at once and again and again; each dies by chance between
claim, send and mark and is started anew; for ten hours none runs at all.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from accounts.actions.audit import Actor
from accounts.models import Membership, Organization, OutgoingMail, User
from billing.caps.actions.caps import set_seat_tier_cap
from requests_inbox.actions.asking import send_request
from requests_inbox.actions.deciding import Reviewer, dismiss_request
from requests_inbox.rules import digest_of
from tests.concurrency.machines import Broker, Machines, MailServer, happened
from tests.concurrency.sending import (
    Inbox,
    set_clock,
    unexplained_repeats,
    wait_until_quiet,
)
from tests.factories.people import MembershipFactory, make_organization, make_user
from tests.factories.usage import enable_extra_usage
from tests.requests_inbox.conftest import block

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
]
ZONES = {"tokyo": "Asia/Tokyo", "angeles": "America/Los_Angeles", "utc": "UTC"}
# in Los Angeles the clocks go forward on Sunday 14 March
START = dt.datetime(2027, 3, 10, tzinfo=dt.UTC)
DAYS = 7
# after that nothing waits in the organization in UTC
DISMISSED = dt.datetime(2027, 3, 13, 12, 0, tzinfo=dt.UTC)
SILENCE = (
    dt.datetime(2027, 3, 11, 23, 30, tzinfo=dt.UTC),
    dt.datetime(2027, 3, 12, 9, 30, tzinfo=dt.UTC),
)
RETRIES = [dt.timedelta(minutes=minutes) for minutes in (0, 1, 12, 24)]


@pytest.fixture
def organizations(transactional_db) -> dict[str, Organization]:
    """Three of them, each with an owner, an admin and a blocked member whose request waits."""
    found = {}
    for slug, zone in ZONES.items():
        owner = make_user(f"owner@{slug}.example", "Olive Owner")
        found[slug] = organization = make_organization(
            slug, owner=owner, now=START, timezone=zone
        )
        enable_extra_usage(organization)
        set_seat_tier_cap(
            organization,
            tier="standard",
            amount_nanos=40 * 10**9,
            actor=Actor(label="owner"),
            now=START,
        )
        admin = make_user(f"admin@{slug}.example", "Adam Admin", language="ja")
        MembershipFactory(organization=organization, user=admin, base_role="admin")
        member = MembershipFactory(
            organization=organization, user=make_user(f"bob@{slug}.example", "Bob")
        )
        block(member, at=START)
        send_request(member, now=START)
    return found


@pytest.fixture
def machines(
    tmp_path, broker: Broker, organizations
) -> Iterator[tuple[Machines, Inbox]]:
    """The mail server and the machines around one clock."""
    clock = tmp_path / "clock"
    clock.write_text(START.isoformat())
    inbox = Inbox(clock)
    server = MailServer(inbox)
    server.start()
    running = Machines(
        tmp_path,
        "tests.concurrency.simulated_worker",
        broker=broker,
        workers=2,
        EMAIL_URL=server.url,
        SIM_KILL="15",
    )
    try:
        yield running, inbox
    finally:
        running.stop()
        server.stop()


def moments() -> list[dt.datetime]:
    """The times the week is looked at: around each local nine o'clock, with room for
    what dead workers left.
    """
    found = {SILENCE[1], DISMISSED}
    for zone in ZONES.values():
        for day in range(DAYS + 1):
            nine = dt.datetime.combine(
                START.date() + dt.timedelta(days=day), dt.time(9), ZoneInfo(zone)
            )
            utc = nine.astimezone(dt.UTC)
            found |= {utc - dt.timedelta(minutes=1), *(utc + wait for wait in RETRIES)}
    found |= {SILENCE[1] + wait for wait in RETRIES}
    return sorted(
        one for one in found if START <= one < START + dt.timedelta(days=DAYS)
    )


def expected(slug: str) -> set[dt.date]:
    """The local dates on which a digest is due within the week."""
    end = DISMISSED if slug == "utc" else START + dt.timedelta(days=DAYS)
    zone, found, moment = ZONES[slug], set(), START + dt.timedelta(minutes=1)
    while moment < end:
        day, due_at = digest_of(moment, zone=zone, hour=9)
        if due_at >= START:
            found.add(day)
        moment += dt.timedelta(hours=1)
    return found


def test_r6_a_week_in_three_zones_with_workers_that_die(machines, organizations):
    running, inbox = machines
    for now in moments():
        running.is_silent = SILENCE[0] <= now < SILENCE[1]
        if now == DISMISSED:
            _dismiss(organizations["utc"], now)
        set_clock(running.folder, now)
        if running.is_silent:
            running.stop()
        else:
            wait_until_quiet(running, now)
    _nobody_missed_a_day_or_got_two(inbox)
    _repeats_are_explained(inbox, happened(running.folder))


def _dismiss(organization: Organization, now: dt.datetime) -> None:
    owner = Membership.objects.select_related("user", "organization").get(
        organization=organization, user=organization.primary_owner
    )
    [request] = organization.usage_requests.all()
    dismiss_request(
        organization, request_id=request.pk, note="", by=Reviewer.person(owner), now=now
    )


def _nobody_missed_a_day_or_got_two(inbox: Inbox) -> None:
    for slug, zone in ZONES.items():
        for email in (f"owner@{slug}.example", f"admin@{slug}.example"):
            assert User.objects.filter(email=email).exists()
            by_day: dict[dt.date, set[str]] = {}
            for one in inbox.accepted:
                if one.to == email:
                    day, _due_at = digest_of(one.at, zone=zone, hour=9)
                    by_day.setdefault(day, set()).add(one.message_id)
            assert set(by_day) == expected(slug), email
            assert all(len(ids) == 1 for ids in by_day.values()), email


def _repeats_are_explained(inbox: Inbox, lines: list[list[str]]) -> None:
    """A mail came again only where the kill fell between the server's acceptance and
    the mark; and kills there were.
    """
    kills = Counter(line[1] for line in lines if line[0] == "killed")
    ids = dict(OutgoingMail.objects.values_list("message_id", "pk"))
    assert unexplained_repeats(inbox, lines) == {}
    on_time = {
        message_id
        for message_id, moment, due_at in _sent_and_due(inbox)
        if moment == due_at
    }
    hit = {int(line[2]) for line in lines if line[0] == "killed"}
    late = [
        (ids[message_id], str(moment), str(due_at))
        for message_id, moment, due_at in _sent_and_due(inbox)
        if message_id not in on_time
        and ids[message_id] not in hit
        and not SILENCE[0] <= moment <= SILENCE[1]
    ]
    assert late == [], "late without a reason"
    assert kills["claimed"] + kills["accepted"] + kills["marked"] > 0, (
        "no worker died; the week proved nothing"
    )


def _sent_and_due(inbox: Inbox) -> list[tuple[str, dt.datetime, dt.datetime]]:
    """Each acceptance with its simulated time and the digest's hour."""
    zones = {
        f"{name}@{slug}.example": zone
        for slug, zone in ZONES.items()
        for name in ("owner", "admin")
    }
    return [
        (one.message_id, one.at, digest_of(one.at, zone=zones[one.to], hour=9)[1])
        for one in inbox.accepted
    ]
