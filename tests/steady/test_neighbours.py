"""`make test-steady`: what one organization does keeps no other from metering, each with
its control on the server as it once was: plain granian in front of Django, without
time-outs or places (27ce5fb).
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass

import pytest

from tests.doors.server import free_port
from tests.steady import floods
from tests.steady.floods import Flood, Target
from tests.steady.journal import at, loaded
from tests.steady.stage import Stage, staged, status_of
from tests.waiting import wait_until

pytestmark = pytest.mark.steady
SECONDS = float(os.environ.get("STEADY_FLOOD_SECONDS", "30"))
MEMBERS = int(os.environ.get("STEADY_FLOOD_MEMBERS", "10000"))
DAYS = 170  # of 10,000 members: a report of 200 MB
WITHIN = 0.200  # seconds: the p99 of checks of others
SAID = 2.0  # seconds until a 503 where PostgreSQL says nothing
# The Procfile of 27ce5fb.
OLD = (
    "granian --interface wsgi --workers ${WEB_WORKERS:-2} --blocking-threads 4 --host"
    " 127.0.0.1 --port ${PORT:-8000} --no-ws config.wsgi:application"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What checks of others met: seconds, statuses."""

    times: list[float]
    statuses: set[int]

    @property
    def p99(self) -> float:
        """Seconds."""
        return at(self.times, 0.99)

    def __str__(self) -> str:
        p50, p99, worst = (at(self.times, share) * 1e3 for share in (0.5, 0.99, 1))
        found = ", ".join(str(one or "no answer") for one in sorted(self.statuses))
        return (
            f"p50 {p50:7.0f} ms   p99 {p99:7.0f} ms   worst {worst:7.0f} ms  "
            f" {len(self.times)} checks: {found}"
        )


@pytest.fixture(scope="module")
def stage():
    """Web as it is and as it was, on one database, with a large organization."""
    with staged("web") as built:
        made = built.run("-m", "tests.steady.big", str(MEMBERS), str(DAYS))
        big = {**json.loads(made), "size": MEMBERS}
        port = free_port()
        settings = {
            "PORT": str(port),
            "SITE_URL": f"http://127.0.0.1:{port}",
            "DJANGO_SETTINGS_MODULE": "tests.steady.old_settings",
        }
        old = built.start("old", OLD, **settings)
        try:
            url = f"http://127.0.0.1:{port}/readyz"
            wait_until(lambda: status_of(url) == 200, "The server as it was")
            yield built, Target(built, built.port, big), Target(built, port, big)
        finally:
            old.stop()


def seen(stage: Stage, target: Target, flood: Flood, *, late: float = 0) -> Seen:
    """Checks of others while `target` is flooded, but for those that began in the last
    `late` seconds of it.
    """
    name = f"{flood.__name__}-{target.port}"
    url = f"http://127.0.0.1:{target.port}"
    wait_until(lambda: status_of(f"{url}/readyz") == 200, "The web process")
    with loaded(stage, name=name, url=url, probes=5, every=0.25) as load:
        time.sleep(3)
        with flood(target):
            time.sleep(1)
            began = time.time()
            time.sleep(SECONDS)
            ended = time.time()
        journal = load.end()
    mine = journal.between(began, ended - late)
    return Seen([one.took for one in mine], {one.status for one in mine})


FLOODS = (
    floods.readers_of_nothing,
    floods.honest_downloads,
    floods.held_lock,
    floods.large_reports,
)


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_checks_of_others_stay_fast_and_once_did_not(stage, flood):
    built, now, then = stage
    is_so, was_so = seen(built, now, flood), seen(built, then, flood)
    print(f"\n{flood.__name__}\n  now     {is_so}\n  control {was_so}")
    assert is_so.statuses == {200} and is_so.p99 < WITHIN
    assert was_so.p99 >= WITHIN or was_so.statuses != {200}, "the control shows no harm"


def test_a_database_that_stands_still_is_a_503_in_time_and_once_was_silence(stage):
    built, now, then = stage
    flood = floods.postgresql_stands_still
    # Who asks just before it goes on is answered.
    is_so = seen(built, now, flood, late=SAID)
    was_so = seen(built, then, flood, late=SAID)
    print(f"\n{flood.__name__}\n  now     {is_so}\n  control {was_so}")
    assert is_so.statuses == {503} and max(is_so.times) <= SAID
    assert 503 not in was_so.statuses and max(was_so.times) > SAID
