"""What somebody leaves behind who loses rights in an organization: invitations they sent
and API keys they made.

Call these under the organization's lock, in the transaction that takes the rights.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from accounts.actions.audit import Actor, record_change
from accounts.models import ApiKey, Invitation, Organization, Role, User


def withdraw_invitations(
    organization: Organization,
    *,
    sent_by: User,
    roles: Collection[str] = tuple(Role),
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Make the open invitations that somebody sent stop working, of these `roles`; how
    many.
    """
    sent = Invitation.objects.filter(
        organization=organization,
        invited_by=sent_by,
        base_role__in=roles,
        accepted_at__isnull=True,
        revoked_at__isnull=True,
    )
    withdrawn = list(sent)
    sent.update(revoked_at=now)
    for invitation in withdrawn:
        record_change(
            organization,
            actor=actor,
            action="invitation.revoke",
            subject=invitation.email,
            now=now,
        )
    return len(withdrawn)


def revoke_keys(
    organization: Organization,
    *,
    made_by: User,
    keys: Collection[int],
    actor: Actor,
    now: dt.datetime,
) -> int:
    """End those of the keys (ids) that somebody made and that are still good; how many."""
    made = ApiKey.objects.filter(
        organization=organization,
        created_by=made_by,
        pk__in=keys,
        revoked_at__isnull=True,
    )
    revoked = list(made)
    made.update(revoked_at=now)
    for key in revoked:
        record_change(
            organization,
            actor=actor,
            action="api_key.revoke",
            subject=key.name,
            now=now,
        )
    return len(revoked)
