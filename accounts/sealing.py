"""Secrets as they are kept, those of second factors and of links that wait to be mailed:
sealed with keys derived from settings (S13).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from config.kit.sealed import NotSealed, is_sealed, seal, unseal

PURPOSE = "two-factor"
FIELDS = ("secret", "seed")

# Seals everything of one kind anew: how much, and the names of what no key opens.
Resealing = Callable[[], tuple[int, list[str]]]
RESEALED: dict[str, Resealing] = {}


def resealed(kind: str) -> Callable[[Resealing], Resealing]:
    """Mark what seals the secrets of another kind anew when the key was changed."""

    def register(resealing: Resealing) -> Resealing:
        RESEALED[kind] = resealing
        return resealing

    return register


def sealing_secrets() -> list[str]:
    """What they are sealed with, the present one first."""
    own = [settings.MFA_ENCRYPTION_KEY] if settings.MFA_ENCRYPTION_KEY else []
    return [
        *own,
        *settings.MFA_ENCRYPTION_KEY_FALLBACKS,
        settings.SECRET_KEY,
        *map(str, settings.SECRET_KEY_FALLBACKS),
    ]


def sealed(text: str, *, purpose: str = PURPOSE) -> str:
    """A secret for the database, by the present key."""
    return seal(text, secrets=sealing_secrets(), purpose=purpose)


def opened(text: str, *, purpose: str = PURPOSE) -> str:
    """The secret again. Raises NotSealed where none of the keys opens it."""
    return unseal(text, secrets=sealing_secrets(), purpose=purpose)


def sealed_once(text: str) -> str:
    """Sealed, unless it is already."""
    return text if is_sealed(text) else sealed(text)


def opened_if_sealed(text: str) -> str:
    """Opened; what no key opens stays as it is."""
    try:
        return opened(text)
    except NotSealed:
        return text


def changed(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """An authenticator's data with its secrets changed."""
    secrets: dict[str, Any] = {
        name: change(data[name]) for name in FIELDS if name in data
    }
    if "migrated_codes" in data:
        secrets["migrated_codes"] = [change(code) for code in data["migrated_codes"]]
    return {**data, **secrets}
