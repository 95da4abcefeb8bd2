"""Where requests are made: a short free name, of which a few are known by their labels
(X4). Names come from whoever reports, so there may be any number of them.
"""

from __future__ import annotations

import re

from django.db import models
from django.utils.translation import gettext_lazy as _

MOST_LETTERS = 40
SURFACE_PATTERN = rf"^[a-z0-9_-]{{1,{MOST_LETTERS}}}$"
_IS_NAME = re.compile(SURFACE_PATTERN).fullmatch
_NO_LETTERS = re.compile(r"[^a-z0-9_-]+")


class Surface(models.TextChoices):
    """The two that are named everywhere, the larger first."""

    CLAUDE_CODE = "claude_code", _("Claude Code")
    CLAUDE = "claude", _("Claude")


LABELS = {
    **dict(Surface.choices),
    "ci": "CI",
    "codex": "Codex",
    "cursor": "Cursor",
}


def surface_label(name: str) -> str:
    """What a surface is called: as known, else its name as it stands."""
    return str(LABELS.get(name, name))


def surface_name(text: str) -> str:
    """What was sent where it is a name, else the name closest to it; empty where nothing
    of it can stay.
    """
    if _IS_NAME(text):
        return text
    name = _NO_LETTERS.sub("-", text.lower()).strip("-")
    return name[:MOST_LETTERS].rstrip("-")
