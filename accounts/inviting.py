"""How many seats open invitations speak for, in numbers and in the active language: who
invites should know which are left (H4). Reads only.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Invitation, Organization, Tier
from accounts.queries import SeatCount, seat_counts


def invited_by_tier(organization: Organization, *, now: dt.datetime) -> dict[str, int]:
    """How many open invitations there are for each tier."""
    waiting = Invitation.objects.filter(
        organization=organization,
        accepted_at=None,
        revoked_at=None,
        expires_at__gt=now,
    )
    rows = waiting.exclude(seat_tier=None)
    return dict(rows.values_list("seat_tier").annotate(Count("pk")))


def seats_to_invite_for(organization: Organization, *, now: dt.datetime) -> str:
    """What is free of each tier, and how many invitations wait for it."""
    invited = invited_by_tier(organization, now=now)
    return " ".join(
        _free_text(seat, invited.get(seat.tier, 0))
        for seat in seat_counts(organization)
    )


def _free_text(seat: SeatCount, invited: int) -> str:
    figures = {
        "free": max(0, seat.free),
        "tier": seat.label,
        "invited": invited,
        "bought": seat.bought,
    }
    if not invited:
        return _("%(tier)s: %(free)d of %(bought)d free.") % figures
    return (
        _("%(tier)s: %(free)d of %(bought)d free, %(invited)d promised by invitations.")
        % figures
    )


def beyond_seats(
    organization: Organization, *, tier: str | None, now: dt.datetime
) -> str:
    """A warning where open invitations promise more seats of a tier than are free; empty
    where they don't.
    """
    if tier is None:
        return ""
    frees = [seat.free for seat in seat_counts(organization) if seat.tier == tier]
    free = max(0, *frees, 0)
    invited = invited_by_tier(organization, now=now).get(tier, 0)
    if invited <= free:
        return ""
    return ngettext(
        "Only %(free)d %(tier)s seat is free for %(invited)d open invitations: whoever "
        "joins after it is taken starts without one.",
        "Only %(free)d %(tier)s seats are free for %(invited)d open invitations: whoever "
        "joins after they are taken starts without one.",
        free,
    ) % {"free": free, "tier": Tier.label_of(tier), "invited": invited}
