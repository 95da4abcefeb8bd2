"""Time zones as people type them: the one that was probably meant.

Pure: names in, a name out.
"""

from __future__ import annotations

from difflib import get_close_matches

from config.kit.months import zone_names


def nearest_zone(text: str) -> str:
    """The IANA zone whose name, or city, is most like what was typed; nothing where
    none is.
    """
    typed = text.strip().lower().replace(" ", "_")
    city = typed.rpartition("/")[2]
    whole = {name.lower(): name for name in sorted(zone_names())}
    cities = {name.rpartition("/")[2]: zone for name, zone in reversed(whole.items())}
    if city in cities:
        return cities[city]
    for word, names in ((typed, whole), (city, cities)):
        near = get_close_matches(word, names, n=1)
        if near:
            return names[near[0]]
    return ""
