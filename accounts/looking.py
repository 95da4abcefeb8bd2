"""An operator who looks at a customer's pages as its owner: kept in the operator's own
session, for half an hour, to read and nothing else.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from accounts.models import Membership, User

KEY = "looks_as_owner"
LASTS = dt.timedelta(minutes=30)
# Who may look: whoever may read customers. It is kept and told each time.
PERMISSION = "accounts.view_organization"


@dataclass(frozen=True, slots=True)
class OwnerLook:
    """Whose pages are looked at, since when."""

    organization_id: int
    began_at: dt.datetime

    def minutes(self, now: dt.datetime) -> int:
        """For how many minutes, at least one."""
        return max(1, int((now - self.began_at).total_seconds()) // 60)


def start(session: SessionBase, *, organization_id: int, now: dt.datetime) -> None:
    """From now on; a look at somebody else ends."""
    session[KEY] = {"organization": organization_id, "at": now.isoformat()}


def stop(session: SessionBase) -> None:
    """It is over."""
    session.pop(KEY, None)


def look_in(session: SessionBase, *, now: dt.datetime) -> OwnerLook | None:
    """The look that is going on; None where there is none, or its time is over."""
    kept: dict[str, Any] | None = session.get(KEY)
    if not kept:
        return None
    look = OwnerLook(kept["organization"], dt.datetime.fromisoformat(kept["at"]))
    return look if look.began_at <= now < look.began_at + LASTS else None


def membership_looked_at(
    user: User, session: SessionBase, slug: str, *, now: dt.datetime
) -> Membership | None:
    """The primary owner's membership of the organization with `slug`, for an operator
    who looks at it now and may.
    """
    look = look_in(session, now=now)
    may = user.is_active and user.is_staff and user.has_perm(PERMISSION)
    if look is None or not may:
        return None
    owners = Membership.objects.filter(
        organization_id=look.organization_id, organization__slug=slug
    ).select_related("organization", "organization__primary_owner", "user")
    return next(
        (
            one
            for one in owners.owners()
            if one.user_id == one.organization.primary_owner_id
        ),
        None,
    )
