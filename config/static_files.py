"""Which of the static files are collected, and so served."""

from __future__ import annotations

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Without the fonts of printed documents, which are read from their folder: no browser
    needs them, and each is a large file that any stranger could ask for.
    """

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.ttf"]
