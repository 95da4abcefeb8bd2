"""A check of somebody unknown, whom the organization's policy makes a member (X2); every
other check writes nothing.
"""

from __future__ import annotations

import datetime as dt

from accounts.actions.audit import Actor
from accounts.actions.unknown import add_unknown
from accounts.models import ApiKey
from accounts.queries import unknown_policy
from billing.funding.queries import standing_by_key
from billing.funding.rules.standing import Standing
from config.kit.addresses import canonical_address


def joined_standing(
    organization_id: int, key_digest: str, *, member: str, now: dt.datetime
) -> Standing | None:
    """The standing of somebody who was just made a member of an organization, of which
    `key_digest` is a key; None for whom its policy refuses.
    """
    address = canonical_address(member)
    if not unknown_policy(organization_id).adds(address):
        return None
    key = ApiKey.objects.get(digest=key_digest)
    actor = Actor(label=f"API key {key.name}")
    if add_unknown(organization_id, address=address, actor=actor, now=now) is None:
        return None
    opened = standing_by_key(key_digest, member=member, now=now)
    return opened.member(member) if opened else None
