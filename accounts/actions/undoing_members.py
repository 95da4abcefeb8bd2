"""Ways back of what owners do to members: their seat, their role, their removal."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.actions.members import bring_back, change_role
from accounts.actions.seats import assign_seat, take_seat
from accounts.actions.undoing import Undoing, undoes
from accounts.models import AuditEntry, Membership, Role, Tier
from config.kit.errors import BusinessError

CAME_AND_WENT = ("member.remove", "member.return")
# What ends with a removal or with the role of an owner, and stays ended.
ENDED = ("invitation.revoke", "api_key.revoke", "api_key.token_revoke")


def _member(undoing: Undoing) -> Membership:
    member = undoing.entry.membership
    assert member is not None  # these changes are always somebody's
    return member


@undoes("member.seat", spoilers=CAME_AND_WENT)
def give_seat_back(undoing: Undoing) -> list[str]:
    """The seat of before, where one is still free. Raises what `assign_seat` raises."""
    tier = undoing.before
    assign_seat(_member(undoing), tier=tier, actor=undoing.actor, now=undoing.now)
    return []


@undoes("member.role", spoilers=CAME_AND_WENT)
def give_role_back(undoing: Undoing) -> list[str]:
    """The role of before. Raises what `change_role` raises."""
    role = undoing.before
    change_role(_member(undoing), role=role, by=undoing.by, now=undoing.now)
    return _ended_with(undoing)


@undoes("member.remove", spoilers=("member.return", "member.role", "member.seat"))
def take_removal_back(undoing: Undoing) -> list[str]:
    """Membership, role and seat of before, the seat where one is still free; their own
    cap was kept. Raises what `bring_back` and `change_role` raise.
    """
    before = undoing.before
    seat, notes = _free_seat(undoing, before["seat"])
    member = bring_back(
        _member(undoing), seat_tier=seat, by=undoing.by, now=undoing.now
    )
    if before["role"] != Role.MEMBER:
        change_role(member, role=before["role"], by=undoing.by, now=undoing.now)
    return [*notes, *_ended_with(undoing)]


def _free_seat(undoing: Undoing, tier: str | None) -> tuple[str | None, list[str]]:
    try:
        take_seat(undoing.organization, tier)
    except BusinessError:
        taken = {"tier": Tier.label_of(tier)}
        return None, [_("Their %(tier)s seat is taken by now; they have none.") % taken]
    return tier, []


def _ended_with(undoing: Undoing) -> list[str]:
    """Invitations and keys that the change ended."""
    entry = undoing.entry
    ended = AuditEntry.objects.filter(
        organization=entry.organization,
        actor=entry.actor,
        at=entry.at,
        action__in=ENDED,
        pk__gt=entry.pk,
    ).count()
    if not ended:
        return []
    sentence = ngettext(
        "%(count)d invitation or key that ended with it stays ended.",
        "%(count)d invitations and keys that ended with it stay ended.",
        ended,
    )
    return [sentence % {"count": ended}]
