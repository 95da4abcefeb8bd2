"""Our modules, and which step of the staircase each of them is."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("config", "accounts", "billing", "requests_inbox")


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository, new ones included."""
    command = [
        "git",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        *patterns,
    ]
    listed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [
        path for path in (ROOT / line for line in listed.splitlines()) if path.is_file()
    ]


def code() -> list[Path]:
    """Our Python files without generated migrations."""
    return [
        path
        for app in APPS
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def functions(path: Path) -> list[ast.FunctionDef]:
    """Every function of a module, methods and inner ones included."""
    return [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]


def rooms() -> list[Path]:
    """The rooms of billing: its folders that hold steps."""
    apart = {"models", "migrations", "management", "templatetags", "__pycache__"}
    return [
        path
        for path in sorted((ROOT / "billing").iterdir())
        if path.is_dir() and path.name not in apart
    ]


def step_of(path: Path) -> str:
    """The step a module is, a file or a file in the step's folder: `actions`, `rules` …

    What stands at the top of an app is a step of the app, what stands in a room of billing
    one of the room.
    """
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_in_room = any(room in path.parents for room in rooms())
    return parts[2] if is_in_room else parts[1]


def modules_of(*steps: str) -> list[Path]:
    """All modules of these steps, wherever they are."""
    return [path for path in code() if step_of(path) in steps]
