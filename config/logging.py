"""Logs: JSON lines in production, readable ones while developing; never a key, token,
cookie or password, nor a person's address.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

from config.kit.masking import masked

MOST_OF_A_TEXT, MOST_OF_A_TRACEBACK = 2_000, 50_000
SECRETS = ("authorization", "password", "token", "secret", "cookie", "api_key", "csrf")


def redact(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Blank every value whose name sounds like a secret."""
    return {
        key: "[redacted]" if any(word in key.lower() for word in SECRETS) else value
        for key, value in event.items()
    }


def name_the_route(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """What Django tells of a request names its path; the route it matched says as much,
    and holds no token.
    """
    request: Any = getattr(event.get("_record"), "request", None)
    path = getattr(request, "path", "")
    if len(path) > 1:
        from config.kit.middleware import route_of

        event["event"] = str(event["event"]).replace(path, route_of(request))
    return event


def mask(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Take out of every text, exceptions too, what names or lets in anybody; a text that
    somebody made long does not fill the log.
    """
    return {
        key: masked(_cut(key, value)) if isinstance(value, str) else value
        for key, value in event.items()
    }


def _cut(key: str, text: str) -> str:
    most = MOST_OF_A_TRACEBACK if key in ("exception", "stack") else MOST_OF_A_TEXT
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


class CallLines(logging.Formatter):
    """Formats a call's record as one line, JSON or readable."""

    def __init__(self, *, json_lines: bool) -> None:
        super().__init__()
        self.json_lines = json_lines

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the moment in UTC."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        facts: dict[str, object] = {
            **record.args,  # type: ignore[dict-item]
            "event": record.msg,
            "logger": record.name,
            "level": "info",
            "timestamp": moment.isoformat().replace("+00:00", "Z"),
        }
        if self.json_lines:
            return json.dumps(facts)
        return " ".join(f"{name}={value}" for name, value in facts.items())


def _at_least(level: str, least: str) -> str:
    return max(level, least, key=lambda name: getattr(logging, name))


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    redact,
]


def logging_settings(
    *, json_lines: bool, level: str, api_calls: bool = True
) -> dict[str, Any]:
    """Django's LOGGING: everything through structlog to standard error, but for the lines
    of `api_calls`, which are made by themselves.
    """
    structlog.configure(
        processors=[
            *SHARED,
            structlog.stdlib.filter_by_level,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            mask,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": _lines(json_lines=json_lines),
            "calls": {"()": CallLines, "json_lines": json_lines},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "lines"},
            "calls": {"class": "logging.StreamHandler", "formatter": "calls"},
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": _loggers(level, api_calls=api_calls),
    }


def _lines(*, json_lines: bool) -> dict[str, Any]:
    renderer = (
        structlog.processors.JSONRenderer()
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": renderer,
        "foreign_pre_chain": [
            *SHARED,
            name_the_route,
            structlog.processors.format_exc_info,
            mask,
        ],
    }


def _loggers(level: str, *, api_calls: bool) -> dict[str, Any]:
    return {
        "django": {"handlers": [], "propagate": True, "level": level},
        "django.server": {"handlers": [], "propagate": True},
        # a 404 is an answer; what fails here is logged as an error
        "django.request": {"level": "ERROR"},
        # A line for each message that beat sends; one for each run of a job is ours
        # (`config.operations.heartbeats`), so Celery's own two are left out.
        "celery.beat": {"level": level},
        "celery.app.trace": {"level": _at_least(level, "WARNING")},
        "celery.worker.strategy": {"level": _at_least(level, "WARNING")},
        "extra_usage.calls": {
            "handlers": ["calls"],
            "propagate": False,
            "level": level if api_calls else "WARNING",
        },
    }
