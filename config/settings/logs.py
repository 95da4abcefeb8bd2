"""Logs and metrics."""

from __future__ import annotations

import os
from pathlib import Path

from config.environment import LEVELS
from config.logging import logging_settings
from config.settings.start import DEBUG, env

PROMETHEUS_EXPORT_MIGRATIONS = False
# Whatever counts needs the folder from its first import on, `migrate` and workers too.
if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)
METRICS_TOKEN = env.text("METRICS_TOKEN")
LOG_JSON = env.flag("LOG_JSON", default=not DEBUG)
LOG_LEVEL = env.choice("LOG_LEVEL", default="INFO", options=LEVELS)
LOG_API_CALLS = env.flag("LOG_API_CALLS", default=True)
LOGGING = logging_settings(
    json_lines=LOG_JSON, level=LOG_LEVEL, api_calls=LOG_API_CALLS
)
