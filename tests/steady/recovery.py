"""How long the service was not whole, by what its callers saw."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from tests.steady.faults import Fault
from tests.steady.journal import Attempt, Journal
from tests.steady.promises import PROMISES

NEVER = float("inf")
# On a machine that does other work, promises are not what is measured.
SLACK = float(os.environ.get("STEADY_SLACK", "1"))


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds after what failed could be there again: until the last call failed, until
    the first one after that succeeded, until jobs ran; and how many calls failed.
    """

    fault: Fault
    failed: int
    last_failure: float
    first_success: float

    @property
    def whole(self) -> float:
        """Seconds until everything works."""
        return max(self.last_failure, self.first_success, self.fault.jobs or 0)

    @property
    def is_kept(self) -> bool:
        """Whether it was as the document promises."""
        return self.whole <= SLACK * PROMISES[self.fault.kind]


def recoveries(journal: Journal, faults: list[Fault]) -> list[Recovery]:
    """One for each fault; calls until the next one are its own."""
    ends = [fault.began for fault in faults[1:]] + [NEVER]
    return [
        _recovery(fault, journal.attempts, until)
        for fault, until in zip(faults, ends, strict=True)
    ]


def _recovery(fault: Fault, attempts: Iterable[Attempt], until: float) -> Recovery:
    # Who is under way when the next one strikes may fail by that.
    mine = [one for one in attempts if fault.began <= one.ended < until]
    failed = [one for one in mine if one.status != 200]
    last = max((one.ended for one in failed), default=fault.began)
    good = [one.ended for one in mine if one.status == 200 and one.began >= last]
    return Recovery(
        fault,
        len(failed),
        max(0.0, last - fault.back) if failed else 0.0,
        max(0.0, min(good, default=NEVER) - fault.back) if failed else 0.0,
    )


def table(found: list[Recovery]) -> str:
    """The worst of each kind beside its promise, in seconds."""
    heads = ("calls failed", "last failure", "next success", "jobs", "promise")
    lines = [f"{'seconds after it could be back':40}{'n':>4}" + _cells(heads)]
    for kind, promise in PROMISES.items():
        mine = [one for one in found if one.fault.kind == kind]
        if not mine:
            continue
        jobs = [one.fault.jobs for one in mine if one.fault.jobs is not None]
        cells = (
            str(sum(one.failed for one in mine)),
            f"{max(one.last_failure for one in mine):.1f}",
            f"{max(one.first_success for one in mine):.1f}",
            f"{max(jobs):.1f}" if jobs else "",
            f"{promise:g}",
        )
        late = "" if all(one.is_kept for one in mine) else "  LATE"
        lines.append(f"{kind:40}{len(mine):>4}{_cells(cells)}{late}")
    return "\n".join(lines)


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"{text:>14}" for text in texts)
