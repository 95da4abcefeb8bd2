"""Runs Typst: a template, fonts and data in, a PDF out, in a process of its own.

Typst keeps the layouts of its last ten documents in memory, 75 kB for a row of a table,
and never gives that back: in a worker, ten long documents would cost a gigabyte. A
process that ends with its document costs 30 ms, catches every crash, and has bounds in
time and memory. Run as a script, this file is that process; so it imports nothing of
ours.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import BoundedSemaphore

# A worker's threads share it, so that many readers don't mean many processes, and
# threads are left for everything else.
AT_ONCE = BoundedSemaphore(2)
WAIT_SECONDS = 1
OUT_OF_MEMORY = 70
# Each thread reserves address space, and a large machine would start one a core.
FEW_THREADS = {"RAYON_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one document may cost: seconds by the clock, of a processor, and bytes of
    address space, of which 500 MB are threads and fonts that use next to nothing.
    """

    seconds: int = 60
    cpu_seconds: int = 30
    memory: int = 1_000_000_000


BOUNDS = Bounds()


class TypesettingError(Exception):
    """Typst refused the template or ended early; the text is what it said last."""


class BeyondBounds(TypesettingError):
    """The document takes more time or memory than one may."""


class PrintersBusy(Exception):
    """As many documents as may be are being typeset; it is worth trying again soon."""


def typeset(
    document: str, *, template: Path, fonts: Sequence[Path], timestamp: int
) -> bytes:
    """The PDF of a document given as JSON; `timestamp` is its date, in seconds of Unix.

    No fonts but those in the folders, no package, no clock. Raises TypesettingError,
    BeyondBounds among them, and PrintersBusy after a second of waiting.
    """
    order = {
        "document": document,
        "template": str(template),
        "fonts": [str(folder) for folder in fonts],
        "timestamp": timestamp,
        "bounds": asdict(BOUNDS),
    }
    if not AT_ONCE.acquire(timeout=WAIT_SECONDS):
        raise PrintersBusy
    try:
        return _printed(json.dumps(order).encode())
    finally:
        AT_ONCE.release()


def _printed(order: bytes) -> bytes:
    command = [sys.executable, "-I", __file__]
    try:
        finished = subprocess.run(
            command,
            input=order,
            capture_output=True,
            timeout=BOUNDS.seconds,
            env={**os.environ, **FEW_THREADS},
        )
    except subprocess.TimeoutExpired as error:
        raise BeyondBounds(f"not ready after {BOUNDS.seconds} seconds") from error
    said = finished.stderr.decode(errors="replace")[-2000:]
    if finished.returncode < 0 or finished.returncode == OUT_OF_MEMORY:
        # Ended by a signal: the processor's time is over, or Typst had no more memory.
        raise BeyondBounds(said or f"ended by signal {-finished.returncode}")
    if finished.returncode:
        raise TypesettingError(said)
    return finished.stdout


def _compile(
    *, document: str, template: str, fonts: list[str], timestamp: int
) -> bytes:
    import typst  # 84 MB that no worker needs

    our_fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=fonts
    )
    return typst.compile(
        template,
        font_paths=our_fonts,
        sys_inputs={"document": document},
        timestamp=timestamp,
    )


def _bind(*, seconds: int, cpu_seconds: int, memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    with suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _main() -> None:
    order = json.load(sys.stdin)
    _bind(**order.pop("bounds"))
    try:
        printed = _compile(**order)
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
    sys.stdout.buffer.write(printed)


if __name__ == "__main__":
    _main()
