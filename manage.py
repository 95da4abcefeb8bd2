#!/usr/bin/env python3
"""Django's command line.

Uses the checkout's own virtual environment when Django is not installed outside it.
"""

import os
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


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        use_own_environment()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
