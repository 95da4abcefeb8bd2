"""A refusal is an answer and no error: LiteLLM logs whatever a hook raises as ERROR, which
would wake people up at night for a cap that works.
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import HTTPException

LOGGER = "LiteLLM Proxy"


class Refused(HTTPException):
    """What a hook raises to refuse a call."""


def log_refusals_as_info() -> None:
    """Have LiteLLM's lines about refusals be of level INFO, without a traceback."""
    logger = logging.getLogger(LOGGER)
    if not any(isinstance(one, _Refusals) for one in logger.filters):
        # Before LiteLLM's own, which makes a line's arguments text.
        logger.filters.insert(0, _Refusals())


class _Refusals(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written; LiteLLM's other lines are left as they are."""
        if not _is_about_refusal(record):
            return True
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.exc_info = record.exc_text = None
        return logging.getLogger(LOGGER).isEnabledFor(logging.INFO)


def _is_about_refusal(record: logging.LogRecord) -> bool:
    said: list[Any] = list(record.args) if isinstance(record.args, tuple) else []
    if record.exc_info:
        said.append(record.exc_info[1])
    return any(isinstance(one, Refused) for one in said)
