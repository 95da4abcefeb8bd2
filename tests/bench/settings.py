"""The product's own settings as in production, with the bare views beside the API."""

from config.settings import *  # noqa: F403
from config.settings import MIDDLEWARE, VAR_DIR

ROOT_URLCONF = "tests.bench.urls"
STATIC_ROOT = VAR_DIR / "static"
MIDDLEWARE = [*MIDDLEWARE, "tests.bench.urls.CountQueries"]
