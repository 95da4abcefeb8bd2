"""A tiny supervisor, as systemd or a container's restart policy is one: whoever dies is
started again after a second.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from threading import Event, Thread

from tests.steady.procfile import ROOT

PAUSE = 1.0  # seconds between the death of a main process and its next start
PATIENCE = 20.0  # seconds that an end may take


class Kept:
    """A main process that is started again whenever it ends, until `stop`."""

    def __init__(
        self,
        name: str,
        command: str,
        *,
        environ: dict[str, str],
        log: Path,
        user: str | None = None,
    ) -> None:
        self.name, self.command, self.environ = name, command, environ
        self.log, self.user = log, user
        self.starts = 0
        self._ending = Event()
        self.process = self._spawn()
        self._thread = Thread(target=self._tend, name=name, daemon=True)
        self._thread.start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        with self.log.open("ab") as out:
            return subprocess.Popen(
                ["sh", "-c", f"exec {self.command}"],
                cwd="/" if self.user else ROOT,
                env=self.environ,
                stdout=out,
                stderr=out,
                user=self.user,
                group=self.user and _group(self.user),
                extra_groups=[] if self.user else None,
                start_new_session=True,
            )

    def _tend(self) -> None:
        while True:
            self.process.wait()
            if self._ending.wait(PAUSE):
                return
            self.process = self._spawn()

    @property
    def pid(self) -> int:
        """The main process that runs, or that ran last."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether it runs; one that is frozen does."""
        return self.process.poll() is None

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End it for good, gently first."""
        self._ending.set()
        for one in (signal.SIGCONT, sign):
            send(self.pid, one)
        deadline = time.monotonic() + PATIENCE
        while self.is_running and time.monotonic() < deadline:
            time.sleep(0.05)
        send(self.pid, signal.SIGKILL)
        self._thread.join(PATIENCE)


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def send(pid: int, sign: signal.Signals) -> bool:
    """Send a signal to a process of ours; whether it was there."""
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return False
    return True


def processes_of(mark: str) -> list[int]:
    """All processes that were started with `mark` in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environ = (folder / "environ").read_bytes()
        except OSError:
            continue
        if mark.encode() in environ:
            found.append(int(folder.name))
    return found
