"""Typst at work: a template, fonts and data in, a PDF out, in a process that ends with
the document.

Typst keeps the layouts of its last ten documents in memory, 75 kB for a row of a table,
and never gives that back: in a worker, ten long documents would cost a gigabyte. A
process of its own costs 30 ms and also catches every crash. Run as a script, this file
is that process; so it imports nothing of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import BoundedSemaphore

# a worker's threads share it, so that many readers don't mean many processes
AT_ONCE = BoundedSemaphore(2)
TIMEOUT_SECONDS = 120


class TypesettingError(Exception):
    """Typst refused the template or ended early; the text is what it said last."""


def typeset(
    document: str, *, template: Path, fonts: Sequence[Path], timestamp: int
) -> bytes:
    """The PDF of a document given as JSON.

    No fonts but those in the folders, no package, no clock.
    """
    order = {
        "document": document,
        "template": str(template),
        "fonts": [str(one) for one in fonts],
        "timestamp": timestamp,
    }
    command = [sys.executable, "-I", __file__]
    with AT_ONCE:
        done = subprocess.run(
            command,
            input=json.dumps(order).encode(),
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
        )
    if done.returncode:
        raise TypesettingError(done.stderr.decode(errors="replace")[-2000:])
    return done.stdout


def _compile(
    *, document: str, template: str, fonts: list[str], timestamp: int
) -> bytes:
    import typst  # 84 MB that no worker needs

    known = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=fonts
    )
    return typst.compile(
        template,
        font_paths=known,
        sys_inputs={"document": document},
        timestamp=timestamp,
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(_compile(**json.load(sys.stdin)))
