"""The signed promise of a check (E4): bound to organization and member, good for a
limited time and for one event.

A token carries its funding, so giving a promise needs no row; the event that it paid for
keeps its number. Reading one never raises: a bad one is ignored.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.core.signing import BadSignature, Signer, b64_encode
from django.utils.encoding import force_bytes

from billing.funding.rules.standing import EXTRA_USAGE, INCLUDED

SALT = "billing.authorization"
FUNDING_OF = {"i": INCLUDED, "x": EXTRA_USAGE}
# A promise's number: Unix seconds, so that numbers grow with time as an index likes them,
# times RANDOM plus a random part. It stays within 63 bits until the year 2242.
RANDOM = 2**30
SECONDS_END = 2**40  # more than any time in seconds, less than any number
AHEAD = 300  # seconds that the clock of another process may be ahead
LETTER_OF = {funding: letter for letter, funding in FUNDING_OF.items()}


class _Signer(Signer):
    """Django's signer, with its key derived once: a batch brings a thousand tokens."""

    def signature(self, value: bytes | str, key: str | bytes | None = None) -> str:
        """What `Signer` signs with, `salted_hmac` with the key derived before."""
        derived = _derived_key(key or self.key)
        signed = hmac.digest(derived, force_bytes(value), self.algorithm)
        return b64_encode(signed).decode()


@lru_cache(maxsize=16)
def _derived_key(key: str | bytes) -> bytes:
    """The key of `django.utils.crypto.salted_hmac`."""
    return hashlib.sha256(force_bytes(f"{SALT}signer") + force_bytes(key)).digest()


def _signer() -> Signer:
    return _signer_with(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=1)
def _signer_with(key: str, *older: str) -> Signer:
    """Made once, since every check signs; it also believes what older secrets signed."""
    return _Signer(key=key, fallback_keys=[*older], salt=SALT, algorithm="sha256")


class Promise(NamedTuple):
    """What a genuine token promises, to whom, since when (Unix seconds); `number` tells
    it from every other of the member, so that it is kept once.
    """

    funding: str
    organization_id: int
    membership_id: int
    signed_at: int
    # None for those signed before each had one; they end a day after the upgrade.
    number: int | None

    def holds_for(
        self, *, organization_id: int, membership_id: int, now: dt.datetime
    ) -> bool:
        """Whether it is this member's, and was given within the last hours that count."""
        age = now.timestamp() - self.signed_at
        is_theirs = (self.organization_id, self.membership_id) == (
            organization_id,
            membership_id,
        )
        return is_theirs and -AHEAD <= age <= settings.AUTHORIZATION_HOURS * 3600


def sign_authorization(
    funding: str, *, organization_id: int, membership_id: int, now: dt.datetime
) -> str:
    """A token that promises `funding` to the member, for one request."""
    number = int(now.timestamp()) * RANDOM + secrets.randbelow(RANDOM)
    return _signer().sign(
        f"{LETTER_OF[funding]}.{organization_id}.{membership_id}.{number}"
    )


def read_promise(token: str | None) -> Promise | None:
    """What a token promises; None for one that is not genuine."""
    if not token:
        return None
    try:
        letter, organization, membership, signed = _signer().unsign(token).split(".")
    except (BadSignature, ValueError):
        return None
    number = int(signed)
    is_numbered = number > SECONDS_END
    return Promise(
        FUNDING_OF[letter],
        int(organization),
        int(membership),
        number // RANDOM if is_numbered else number,
        number if is_numbered else None,
    )
