"""What can be said of the settings only once all of them are read."""

from __future__ import annotations

import sys

from config.environment import stop
from config.private_files import FOR_OTHERS
from config.settings.data import IS_SQLITE
from config.settings.start import DEBUG, LOOPBACK, SITE_URL, TESTING, env

# Names in `.env` that nobody reads, for `check --deploy`; one that was meant to be a
# setting ends the start.
UNKNOWN_SETTINGS: list[str] = []
if not TESTING:
    env.refuse_lookalikes()
    UNKNOWN_SETTINGS = env.unknown()

# A name that was mistyped or left out must not send what a company meters to a file that
# nobody keeps. Collecting static files asks no database.
_needs_database = not (DEBUG or LOOPBACK or TESTING or FOR_OTHERS & set(sys.argv))
if _needs_database and IS_SQLITE and not env.is_set("DATABASE_URL"):
    stop(
        f"DATABASE_URL is not set, and {SITE_URL} is no address of this machine alone."
        " Set it to postgres://USER:PASSWORD@HOST:PORT/NAME, or to sqlite:////PATH to run"
        " on that one file."
    )
