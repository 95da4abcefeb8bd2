"""Checks how our styles and scripts are laid out, or with `--write` lays them out.

What the beautifiers of CSS and JavaScript leave as it is, is laid out. Their options
stand in pyproject.toml.
"""

from __future__ import annotations

import difflib
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import cssbeautifier
import jsbeautifier

ROOT = Path(__file__).resolve().parents[1]
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]


def beautifier(module) -> Callable[[str], str]:
    """What a beautifier makes of a text, with the options of pyproject.toml."""
    options = module.default_options()
    for name, value in TOOLS[module.__name__].items():
        setattr(options, name, value)
    return lambda text: module.beautify(text, options)


def main(arguments: list[str]) -> int:
    """1 if a file is not laid out, with what would change."""
    changes = 0
    for pattern, module in {
        "css/*.css": cssbeautifier,
        "js/*.js": jsbeautifier,
    }.items():
        beautify = beautifier(module)
        for path in sorted((ROOT / "static").glob(pattern)):
            text = path.read_text()
            tidy = beautify(text)
            if tidy == text:
                continue
            changes += 1
            name = str(path.relative_to(ROOT))
            print(
                "\n".join(
                    difflib.unified_diff(
                        text.splitlines(), tidy.splitlines(), name, name, lineterm=""
                    )
                )
            )
            if "--write" in arguments:
                path.write_text(tidy)
    print(
        f"{changes} styles and scripts {'laid out' if '--write' in arguments else 'to lay out'}."
    )
    return int(bool(changes) and "--write" not in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
