"""The Procfile's own lines, so that what is tried here is what operators start."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def commands(text: str | None = None) -> dict[str, str]:
    """The command of each process by its name, as `sh` reads it."""
    if text is None:
        text = (ROOT / "Procfile").read_text()
    lines = [line.partition(":") for line in text.splitlines() if ":" in line]
    return {name.strip(): command.strip() for name, _colon, command in lines}
