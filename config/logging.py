"""Logs: JSON lines in production, readable ones while developing; never a key, token,
cookie or password.
"""

from __future__ import annotations

from typing import Any

import structlog

SECRETS = ("authorization", "password", "token", "secret", "cookie", "api_key", "csrf")


def redact(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Blank every value whose name sounds like a secret."""
    return {
        key: "[redacted]" if any(word in key.lower() for word in SECRETS) else value
        for key, value in event.items()
    }


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    redact,
]


def logging_settings(*, json_lines: bool, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything through structlog to standard error."""
    structlog.configure(
        processors=[
            *SHARED,
            structlog.stdlib.filter_by_level,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = (
        structlog.processors.JSONRenderer()
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": renderer,
        "foreign_pre_chain": [*SHARED, structlog.processors.format_exc_info],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": formatter},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "lines"}
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True, "level": level},
            "django.server": {"handlers": [], "propagate": True},
            # a 404 is an answer; what fails here is logged as an error
            "django.request": {"level": "ERROR"},
            "celery.beat": {"level": "WARNING"},
        },
    }
