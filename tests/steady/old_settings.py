"""The product's settings with the guards off: nobody's wait for PostgreSQL ends, and an
organization may hold all threads. For controls alone.
"""

from config.kit.waits import Waits
from config.settings import *  # noqa: F403
from config.settings import DATABASE_WAITS, DATABASES

DATABASE_WAITS = dict.fromkeys(DATABASE_WAITS, Waits())
DATABASES["default"]["OPTIONS"] = {
    name: value
    for name, value in DATABASES["default"]["OPTIONS"].items()
    if name in ("prepare_threshold", "options")
}
ORGANIZATION_PLACES = 1_000
