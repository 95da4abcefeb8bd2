"""The previous release: which commit it is, its tree, and its files' names.

pyproject.toml names it under `[tool.extra-usage]`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.services import REQUIRED

ROOT = Path(__file__).resolve().parents[2]


def commit() -> str:
    """Its commit. Where this clone does not have it, the test is skipped with a sentence,
    and fails with it where nothing may be skipped.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named: str = project["tool"]["extra-usage"]["previous-release"]
    if _git("cat-file", "-e", f"{named}^{{commit}}").returncode == 0:
        return named
    sentence = (
        f"The previous release, commit {named}, is not in this clone: fetch the whole"
        " history (git fetch --unshallow), or mend previous-release in pyproject.toml."
    )
    if REQUIRED:
        pytest.fail(sentence)
    pytest.skip(sentence)


def migrations() -> set[str]:
    """The paths of its migrations, such as `billing/migrations/0001_initial.py`."""
    listed = _git("ls-tree", "-r", "--name-only", commit())
    names = listed.stdout.decode().splitlines()
    return {name for name in names if re.search(r"/migrations/\d{4}_\w+\.py$", name)}


def export(folder: Path) -> Path:
    """Its tree, in a new folder; fails where a package that it needs is not installed."""
    archive = folder / "previous.tar"
    made = _git("archive", "--output", str(archive), commit())
    assert made.returncode == 0, made.stderr.decode()
    tree = folder / "previous"
    with tarfile.open(archive) as packed:
        packed.extractall(tree, filter="data")
    missing = _not_installed(tree / "requirements" / "base.txt")
    assert not missing, (
        f"The previous release needs {', '.join(missing)}, which this environment has no"
        " longer: keep it in pyproject.toml for one more release."
    )
    return tree


def _not_installed(lock: Path) -> list[str]:
    missing = []
    for name, marker in re.findall(
        r"^([\w.\[\]-]+)==[^ ;]+( ;)?", lock.read_text(), re.M
    ):
        try:
            version(name)
        except PackageNotFoundError:
            if not marker:  # others are for other systems
                missing.append(name)
    return missing


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, check=False
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(words, 127, b"", b"git is not installed")


def manage(tree: Path, environ: dict[str, str], *words: str) -> str:
    """What a tree's manage.py prints; fails with what it wrote where it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=tree,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"manage.py {words}: {done.stdout}{done.stderr}"
    return done.stdout
