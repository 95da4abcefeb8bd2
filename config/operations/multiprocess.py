"""The files in which worker processes keep their counts (PROMETHEUS_MULTIPROC_DIR).

They are cleared when the main process starts. Of a worker that died since, the counters
and histograms are added to one file of the dead, so that sums never fall while the main
process lives, and its gauges go with it. A lock keeps scrapes and that apart: one in
between would count twice.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

DEAD = "dead"


def folder() -> Path | None:
    """Where the files are; None where each process tells its own numbers."""
    name = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(name) if name else None


def clear() -> None:
    """Forget all counts: a new main process starts, and its workers' with it."""
    place = folder()
    if place is None:
        return
    place.mkdir(parents=True, exist_ok=True)
    for file in place.glob("*.db"):
        file.unlink(missing_ok=True)


@contextmanager
def folded(place: Path) -> Iterator[None]:
    """The files of the living and the sum of the dead, as long as they are being read."""
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _fold_dead(place)
        yield


def _fold_dead(place: Path) -> None:
    for file in sorted(place.glob("*.db")):
        kind, *_, pid = file.stem.split("_")
        if pid == DEAD or _lives(pid):
            continue
        if kind != "gauge":
            _add(file, place / f"{kind}_{DEAD}.db")
        file.unlink(missing_ok=True)


def _lives(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    # One that ended and that nobody has asked about yet is dead all the same.
    with suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] != "Z"
    return True


def _add(file: Path, total: Path) -> None:
    """Add one file's values to those of another, which is replaced whole."""
    sums: dict[str, float] = {}
    for one in (total, file):
        if one.exists():
            for key, value, *_ in MmapedDict.read_all_values_from_file(str(one)):
                sums[key] = sums.get(key, 0) + value
    fresh = total.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    made = MmapedDict(str(fresh))
    for key, value in sums.items():
        made.write_value(key, value, 0)
    made.close()
    fresh.replace(total)
