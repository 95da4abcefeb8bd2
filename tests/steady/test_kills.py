"""`make test-steady`: whatever is killed or stands still, nothing acknowledged is lost
or doubled, the books are clean, and the service is whole again in the seconds that
`docs/operations/recovery.md` states.
"""

from __future__ import annotations

import os

import pytest

from tests.steady import kills
from tests.steady.recovery import recoveries, table
from tests.steady.stage import staged

pytestmark = pytest.mark.steady
SECONDS = float(os.environ.get("STEADY_KILL_SECONDS", "300"))


@pytest.fixture(scope="module")
def done():
    """A run on a stage that is still up."""
    with staged() as stage:
        yield stage, kills.run(stage, seconds=SECONDS)


def test_nothing_acknowledged_is_lost_or_doubled_and_the_books_are_clean(done):
    stage, run = done
    print(f"\n{kills.summary(run)}")
    assert kills.findings(stage, run) == []


def test_the_service_is_whole_again_within_the_promised_seconds(done):
    _stage, run = done
    found = recoveries(run.journal, run.faults)
    print(f"\n{table(found)}")
    assert [one for one in found if not one.is_kept] == []
