"""Where things are cached: Redis, or files beside the embedded database; printed
documents in files of each machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

BACKENDS = "django.core.cache.backends"


def cache_settings(*, redis_url: str, var_dir: Path, testing: bool) -> dict[str, Any]:
    """Django's CACHES: what processes share, and printed documents by their content."""
    if testing:
        memory = f"{BACKENDS}.locmem.LocMemCache"
        return {
            "default": {"BACKEND": memory},
            "documents": {"BACKEND": memory, "LOCATION": "documents"},
        }
    shared: dict[str, Any] = {
        "BACKEND": f"{BACKENDS}.filebased.FileBasedCache",
        "LOCATION": str(var_dir / "cache"),
    }
    if redis_url:
        shared = {
            "BACKEND": "config.kit.cache.SteadyRedisCache",
            "LOCATION": redis_url,
            "OPTIONS": {"serializer": "config.json_cache.JsonSerializer"},
            # What lies there from versions before, pickled, is never read.
            "KEY_PREFIX": "json",
        }
    documents = {
        "BACKEND": f"{BACKENDS}.filebased.FileBasedCache",
        "LOCATION": str(var_dir / "documents"),
        "OPTIONS": {"MAX_ENTRIES": 300},
    }
    return {"default": shared, "documents": documents}
