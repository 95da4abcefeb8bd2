"""Start-up facts: the environment, where the product is served, and from which folder."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

from config.environment import Environment

BASE_DIR = Path(__file__).resolve().parents[2]
TESTING = "pytest" in sys.modules

env = Environment()
if not TESTING:
    env.read_file(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", default=False)
SITE_URL = env.site_url("SITE_URL", default="http://127.0.0.1:8000")
HTTPS = SITE_URL.startswith("https://")
LOOPBACK = urlsplit(SITE_URL).hostname in ("127.0.0.1", "localhost", "::1")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])

VAR_DIR = BASE_DIR / (env.text("VAR_DIR", default="var") or "var")

SECRET_KEY = env.secret("SECRET_KEY", needed=not (DEBUG or TESTING))
# Secrets of before: what they signed holds until they are taken out (docs/security.md).
SECRET_KEY_FALLBACKS = env.old_secrets("SECRET_KEY_FALLBACKS")

# The web process (`config.serve`): its port, its processes, and the threads of each for
# metering; as many again are for pages.
PORT = env.count("PORT", default=8000, least=1, most=65_535)
WEB_WORKERS = env.count("WEB_WORKERS", default=2, least=1, most=128)
WEB_THREADS = env.count("WEB_THREADS", default=4, least=1, most=128)
