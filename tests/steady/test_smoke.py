"""The harness of `make test-steady` in the suite: the Procfile's web process on a stage of
its own, some load, one dead worker and a restart of PostgreSQL, and a checker that finds
what is wrong.
"""

from __future__ import annotations

import dataclasses

import pytest
from django.db import connection

from tests.steady import checker, kills
from tests.steady.procfile import commands
from tests.steady.recovery import recoveries, table
from tests.steady.stage import staged

KINDS = ("a web worker is killed", "PostgreSQL restarts")


@pytest.mark.django_db
@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.cluster
def test_a_killed_worker_and_a_restart_lose_nothing_and_the_checker_would_tell():
    with staged("web", like=connection.settings_dict) as stage:
        done = kills.run(stage, seconds=4, kinds=KINDS, people=6, peace=1)
        assert {fault.kind for fault in done.faults} == set(KINDS)
        assert checker.findings(stage, done.journal) == []
        assert done.journal.told and kills.strays(stage) == []
        found = recoveries(done.journal, done.faults)
        assert all(one.last_failure < 300 for one in found), table(found)
        # What the checker is there for: each is found once it is made.
        (slug, event_id), told = next(iter(done.journal.told.items()))
        lost = {**done.journal.told, (slug, "lost"): told}
        changed = {(slug, event_id): [("recorded", "unbilled", "1.000000000")]}
        for wrong, said in (
            ({"told": lost}, "is stored 0 times"),
            ({"told": changed}, "is stored as"),
            ({"sent": {slug: [["x"]]}}, "never sent"),
            ({"sent": {slug: [[event_id, "x"]]}}, "of a batch of 2"),
        ):
            journal = dataclasses.replace(done.journal, **wrong)
            assert said in " ".join(checker.differences(stage, journal)), said


def test_the_procfile_starts_what_the_stage_starts():
    assert {"release", "web", "worker", "beat"} <= commands().keys()
    assert commands("web: a --b ${C:-1}\n") == {"web": "a --b ${C:-1}"}
