"""Text that is kept sealed: encrypted at rest with keys derived from settings.

The first secret seals; every one of them opens, so that a secret can be replaced.
Never holds domain knowledge.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# How every sealed text begins: the version of the format, in base64.
BEGINNING = "gAAAA"


class NotSealed(ValueError):
    """None of the secrets opens it: another secret sealed it, or nothing did."""


def seal(text: str, *, secrets: Sequence[str], purpose: str) -> str:
    """The text, encrypted and signed by the first of the secrets."""
    return _sealer(tuple(secrets), purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, secrets: Sequence[str], purpose: str) -> str:
    """What was sealed with one of the secrets for this purpose. Raises NotSealed."""
    try:
        return _sealer(tuple(secrets), purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise NotSealed from error


def is_sealed(text: str) -> bool:
    """Whether it looks like something that was sealed, by whatever secret."""
    return text.startswith(BEGINNING)


@lru_cache(maxsize=8)
def _sealer(secrets: tuple[str, ...], purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_key(secret, purpose)) for secret in secrets])


def _key(secret: str, purpose: str) -> bytes:
    """A key of this purpose alone: no other one tells anything about it."""
    derived = HKDF(SHA256(), length=32, salt=None, info=purpose.encode())
    return base64.urlsafe_b64encode(derived.derive(secret.encode()))
