"""What models are called by people: `claude-opus-4-5` is Opus 4.5. Only names that say it
themselves are shortened; any other stands as it is.
"""

from __future__ import annotations

import re

# Anthropic's names, as its models page lists them: family and version, since Claude 4
# in this order, before it in the other; a snapshot's day may follow.
_FAMILY_FIRST = re.compile(
    r"claude-([a-z]+)-(\d{1,2})(?:-(\d{1,2}))?(?:-(\d{8}))?", re.A
)
_VERSION_FIRST = re.compile(r"claude-(\d)(?:-(\d))?-([a-z]+)(?:-(\d{8}))?", re.A)


def model_label(name: str) -> str:
    """What a model is called: family and version, a snapshot with its day, so that no two
    names become one.
    """
    if found := _FAMILY_FIRST.fullmatch(name):
        family, version, minor, day = found.groups()
    elif found := _VERSION_FIRST.fullmatch(name):
        version, minor, family, day = found.groups()
    else:
        return name
    numbers = f"{version}.{minor}" if minor else version
    return " ".join(filter(None, [family.capitalize(), numbers, day]))
