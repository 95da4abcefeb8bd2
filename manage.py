#!/usr/bin/env python3
"""Django's command line.

Uses the checkout's own virtual environment when Django is not installed outside it.
"""

import os
import runpy
import sys
from pathlib import Path


def use_own_environment() -> None:
    """Start again with `.venv`'s Python, so that `python3 manage.py …` works straight
    after `make`.
    """
    python = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
    if not python.exists():
        sys.exit("Django is not installed here. Run `make install` first.")
    os.execv(python, [str(python), *sys.argv])


def tell_health() -> None:
    """`health worker|beat`, which probes ask every few seconds: without Django, whose
    start would cost more than what is asked.
    """
    here = Path(__file__).resolve().parent / "config" / "operations" / "alive.py"
    runpy.run_path(str(here), run_name="__main__")


def main() -> None:
    if sys.argv[1:2] == ["health"]:
        try:
            tell_health()
        except ModuleNotFoundError:
            use_own_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        import django  # noqa: F401
    except ModuleNotFoundError:
        use_own_environment()
    from config.command_line import run

    run(sys.argv)


if __name__ == "__main__":
    main()
