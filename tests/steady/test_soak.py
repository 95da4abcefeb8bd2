"""`make test-steady`: half an hour at 50 calls a second without one error, and memory
stays flat.
"""

from __future__ import annotations

import os
import time

import pytest

from tests.steady import checker, soak
from tests.steady.journal import loaded
from tests.steady.stage import staged

pytestmark = pytest.mark.steady
MINUTES = int(os.environ.get("STEADY_SOAK_MINUTES", "30"))
RATE = int(os.environ.get("STEADY_SOAK_RATE", "50"))
FLAT = 12.0  # MB an hour that a process may grow
NOISE = 2.0  # MB over the whole time that are no growth


def test_a_soak_has_no_error_and_memory_is_flat():
    with staged() as stage:
        looks = []
        with loaded(stage, module="metered", name="soak", rate=RATE) as load:
            time.sleep(20)
            looks.append(soak.look(stage))
            for _minute in range(MINUTES):
                time.sleep(60)
                looks.append(soak.look(stage))
            journal = load.end()
        grown = soak.growth(looks)
        print(f"\n{soak.minutes(journal, looks)}")
        print("MB an hour: " + ", ".join(f"{k} {v:+.1f}" for k, v in grown.items()))
        errors = [one for one in journal.attempts if one.status != 200]
        assert errors == []
        assert checker.findings(stage, journal) == []
        assert checker.missed_sweeps(stage, MINUTES * 60) == []
        allowed = max(FLAT, NOISE / MINUTES * 60)
        assert {name: by for name, by in grown.items() if by > allowed} == {}
        assert max(one.connections for one in looks) <= 40
