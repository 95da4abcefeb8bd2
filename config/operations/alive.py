"""Heartbeats of worker and beat as files under VAR_DIR, and who looks at them.

`manage.py health worker|beat` runs this file alone, without Django, so that a probe
costs a fraction of a second; it needs neither database nor, for beat, Redis.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
# Seconds after which a heartbeat is too old. A worker beats every EVERY_SECONDS, but tries
# a lost broker again only twice a minute; beat turns at least every half minute.
LIMITS = {"worker": 90, "beat": 120}
EVERY_SECONDS = 5


def folder(var_dir: str | Path) -> Path:
    """Where the files are."""
    return Path(var_dir) / "health"


def beat_file(var_dir: str | Path, name: str) -> Path:
    """The file of `worker` or `beat`, whose time of change is the heartbeat."""
    return folder(var_dir) / name


def touch(var_dir: str | Path, name: str) -> None:
    """It lives. Raises OSError where nothing can be written."""
    folder(var_dir).mkdir(parents=True, exist_ok=True)
    beat_file(var_dir, name).touch()


def state_of(var_dir: str | Path, name: str, *, redis_url: str) -> tuple[bool, str]:
    """Whether it lives, and a sentence.

    A worker stands still while its broker is away, which a new one would do too.
    """
    try:
        changed_at = beat_file(var_dir, name).stat().st_mtime
    except OSError:
        return False, f"No {name} has run with this VAR_DIR ({var_dir})."
    seconds = max(0, round(time.time() - changed_at))
    if seconds <= LIMITS[name]:
        return True, f"The {name} lives: its last heartbeat was {seconds} seconds ago."
    if name == "worker" and redis_url and not _redis_answers(redis_url):
        return True, f"The worker waits for Redis, since {seconds} seconds."
    return False, f"The {name} stands still: no heartbeat for {seconds} seconds."


def _redis_answers(url: str) -> bool:
    import socket

    parts = urlsplit(url)
    place = (parts.hostname or "127.0.0.1", parts.port or 6379)
    try:
        with socket.create_connection(place, timeout=1):
            return True
    except OSError:
        return False


def main(words: list[str]) -> int:
    """The exit code of `manage.py health …`: 0 alive, 1 not, 2 asked for nothing known."""
    if len(words) != 1 or words[0] not in LIMITS:
        print("Usage: manage.py health worker|beat", file=sys.stderr)
        return 2
    import environ

    environ.Env.read_env(ROOT / ".env")
    var_dir = ROOT / os.environ.get("VAR_DIR", "var").strip()
    redis_url = os.environ.get("REDIS_URL", "").strip()
    is_alive, sentence = state_of(var_dir, words[0], redis_url=redis_url)
    print(sentence)
    return 0 if is_alive else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))
