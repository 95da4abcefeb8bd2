"""The signed promise of a check (E4): bound to organization and member, good for a
limited time.

A token carries its funding, so keeping the promise needs no row. Reading one never
raises: a bad one is ignored.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from django.conf import settings
from django.core.signing import BadSignature, Signer

from billing.funding.rules.standing import EXTRA_USAGE, INCLUDED

FUNDING_OF = {"i": INCLUDED, "x": EXTRA_USAGE}
LETTER_OF = {funding: letter for letter, funding in FUNDING_OF.items()}


@lru_cache(maxsize=1)
def _signer() -> Signer:
    return Signer(salt="billing.authorization")


def sign_authorization(
    funding: str, *, organization_id: int, membership_id: int, now: dt.datetime
) -> str:
    """A token that promises `funding` to the member."""
    return _signer().sign(
        f"{LETTER_OF[funding]}.{organization_id}.{membership_id}.{int(now.timestamp())}"
    )


def promised_funding(
    token: str | None, *, organization_id: int, membership_id: int, now: dt.datetime
) -> str | None:
    """The funding a genuine, unexpired token of this member promises; None for anything
    else.
    """
    if not token:
        return None
    try:
        letter, organization, membership, signed = _signer().unsign(token).split(".")
    except (BadSignature, ValueError):
        return None
    age = now.timestamp() - int(signed)
    if (int(organization), int(membership)) != (organization_id, membership_id):
        return None
    if age > settings.AUTHORIZATION_HOURS * 3600:
        return None
    return FUNDING_OF.get(letter)
