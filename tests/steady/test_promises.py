"""The seconds that `docs/operations/recovery.md` states are those that are tried."""

from __future__ import annotations

import re

from tests.steady.faults import KINDS
from tests.steady.procfile import ROOT
from tests.steady.promises import PROMISES

ROW = re.compile(r"^\| ([^|]+) \| ([\d.]+) s \|", re.MULTILINE)


def test_the_documents_table_states_what_is_tried():
    text = (ROOT / "docs/operations/recovery.md").read_text()
    stated = {what: float(seconds) for what, seconds in ROW.findall(text)}
    assert stated == PROMISES
    assert PROMISES.keys() == KINDS.keys()
