"""All settings, from the environment or a `.env` file beside manage.py; the README
lists every name and default.

One part a subject; the parts read `start` and nothing else of each other, so their order
does not matter, but for `whole`, which comes last. Without any setting but a secret the
product runs embedded: SQLite, a file-system broker and a file cache under `var/`.
"""

from config.settings.applications import *  # noqa: F403
from config.settings.data import *  # noqa: F403
from config.settings.doors import *  # noqa: F403
from config.settings.logs import *  # noqa: F403
from config.settings.money import *  # noqa: F403
from config.settings.people import *  # noqa: F403
from config.settings.security import *  # noqa: F403
from config.settings.start import *  # noqa: F403
from config.settings.whole import *  # noqa: F403
