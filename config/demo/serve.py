"""`make demo`: prepare the database and static files, then run web, worker and
scheduler until Ctrl-C.

Everything embedded: SQLite, a file-system broker, a file cache. Needs nothing but the
base lock.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from config.kit.alone import alone_in

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
PORT = os.environ.get("PORT", "8000")
WAITING = "Another `make demo` of this folder is starting; waiting for it."


def manage(*words: str) -> None:
    """One management command; ends here when it fails."""
    done = subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def refuse_taken_port() -> None:
    """Say so before anything starts."""
    if not PORT.isdecimal() or not 0 < int(PORT) < 65_536:
        sys.exit(f"PORT is “{PORT}”. Set it to a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(PORT)))
        except OSError:
            sys.exit(f"Port {PORT} is taken. Choose another one: make demo PORT=8001")


def prepare() -> None:
    """Tables, static files and three organizations, where they are missing."""
    manage("migrate", "--verbosity", "0")
    manage("collectstatic", "--noinput", "--verbosity", "0")
    manage("demo")


def start() -> list[subprocess.Popen[bytes]]:
    """Web as everywhere, and one Celery worker with beat inside."""
    web = [sys.executable, "-m", "config.serve", "--port", PORT]
    worker = [
        str(BIN / "celery"),
        "-A",
        "config",
        "--quiet",
        "worker",
        "-B",
        "-P",
        "solo",
        "--loglevel",
        "WARNING",
    ]
    return [subprocess.Popen(command, cwd=ROOT) for command in (web, worker)]


def wait_until_ready(processes: list[subprocess.Popen[bytes]]) -> None:
    """Until the port answers; ends with the process that ended first."""
    while True:
        stop_if_any_ended(processes)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(PORT))) == 0:
                return
        time.sleep(0.1)


def stop_if_any_ended(processes: list[subprocess.Popen[bytes]]) -> None:
    """When one part ends, end the other as well."""
    ended = [process for process in processes if process.poll() is not None]
    if ended:
        stop(processes)
        sys.exit(ended[0].returncode or 1)


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End what runs, gently first."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def main() -> None:
    os.environ["SITE_URL"] = f"http://127.0.0.1:{PORT}"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    refuse_taken_port()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: sys.exit(0))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        # Whoever starts a second one at once finds all prepared, and the port taken.
        with alone_in(ROOT / "config" / "demo", say=print, waiting=WAITING):
            refuse_taken_port()
            prepare()
            processes += start()
            wait_until_ready(processes)
        print(f"\nServing at http://127.0.0.1:{PORT}/ (Ctrl-C stops)", flush=True)
        while True:
            stop_if_any_ended(processes)
            time.sleep(0.5)
    finally:
        stop(processes)


if __name__ == "__main__":
    main()
