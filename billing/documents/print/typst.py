"""Runs Typst: a template, fonts and data in, a PDF out, in a process of its own.

Typst keeps the layouts of its last ten documents in memory, 75 kB for a row of a table,
and never gives that back: in a worker, ten long documents would cost a gigabyte. A
process that ends with its document costs 30 ms and also catches every crash. Run as a
script, this file is that process; so it imports nothing of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import BoundedSemaphore

# A worker's threads share it, so that many readers don't mean many processes.
AT_ONCE = BoundedSemaphore(2)
TIMEOUT_SECONDS = 120


class TypesettingError(Exception):
    """Typst refused the template or ended early; the text is what it said last."""


def typeset(
    document: str, *, template: Path, fonts: Sequence[Path], timestamp: int
) -> bytes:
    """The PDF of a document given as JSON; `timestamp` is its date, in seconds of Unix.

    No fonts but those in the folders, no package, no clock. Raises TypesettingError, and
    subprocess.TimeoutExpired after two minutes.
    """
    order = {
        "document": document,
        "template": str(template),
        "fonts": [str(folder) for folder in fonts],
        "timestamp": timestamp,
    }
    command = [sys.executable, "-I", __file__]
    with AT_ONCE:
        finished = subprocess.run(
            command,
            input=json.dumps(order).encode(),
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
        )
    if finished.returncode:
        raise TypesettingError(finished.stderr.decode(errors="replace")[-2000:])
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


if __name__ == "__main__":
    sys.stdout.buffer.write(_compile(**json.load(sys.stdin)))
