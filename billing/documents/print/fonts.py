"""The fonts of printed documents.

Ours stand under static/vendor, the large one of East Asia comes as a package. Typst takes
the first font of the template's list that has a letter, and shapes Arabic and Indic.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from django.conf import settings

VENDORED = (
    "inter-ttf",
    "noto-sans-jp",
    "noto-sans-arabic",
    "noto-sans-hebrew",
    "noto-sans-thai",
    "noto-sans-devanagari",
    "noto-emoji",
)
# Korean, Chinese, and the Han characters that Noto Sans JP leaves out.
EAST_ASIAN = "manimgx_fonts_cjk"


def font_folders() -> list[Path]:
    """Where all fonts are. Raises ModuleNotFoundError where the package is not installed."""
    found = find_spec(EAST_ASIAN)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(
            f"{EAST_ASIAN} is not installed; it is in requirements/base.txt."
        )
    vendor = settings.BASE_DIR / "static" / "vendor"
    return [
        *(vendor / folder for folder in VENDORED),
        *map(Path, found.submodule_search_locations),
    ]
