"""Managing caps and the switch: the same acts, audit and errors as the pages.

Scope `manage`.
"""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Body, Router

from accounts.actions.audit import Actor
from accounts.api_access import KeyAuth, MemberPath, organization_of
from accounts.models import Membership, Scope
from accounts.queries import (
    external_holders,
    former_holders,
    is_membership_id,
    member_by_ref,
)
from billing.caps.actions.caps import (
    CapChange,
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.caps.actions.switch import set_extra_usage
from billing.caps.schemas import CapIn, CapOut, SwitchIn, SwitchOut
from billing.models import SelectedMember
from config.kit.addresses import canonical_address
from config.kit.api import ERRORS
from config.kit.errors import BusinessError
from config.kit.external_names import is_external_name
from config.kit.money import to_decimal_text, usd

router = Router(tags=["Managing"], auth=KeyAuth(Scope.MANAGE))


def _actor(request: HttpRequest) -> Actor:
    return Actor(label=f"API key {request.auth.name}")  # type: ignore[attr-defined]


def _typed(payload: CapIn) -> dict[str, Any]:
    amount = None if payload.amount_usd is None else usd(payload.amount_usd)
    return {
        "amount_nanos": amount,
        "this_month_only": payload.this_month_only,
        "now": timezone.now(),
    }


def _cap_json(change: CapChange) -> dict[str, Any]:
    amount = (
        None if change.to_nanos is None else to_decimal_text(change.to_nanos, places=2)
    )
    return {"amount_usd": amount, "this_month_only": change.this_month_only}


@router.put(
    "/caps/organization",
    response={200: CapOut, **ERRORS},
    summary="Cap the organization",
)
def organization_cap(request: HttpRequest, payload: Body[CapIn]) -> dict[str, Any]:
    """What everybody together may spend in a month."""
    return _cap_json(
        set_organization_cap(
            organization_of(request), actor=_actor(request), **_typed(payload)
        )
    )


@router.put(
    "/caps/seat-tiers/{tier}",
    response={200: CapOut, **ERRORS},
    summary="Cap a seat tier",
)
def seat_tier_cap(
    request: HttpRequest, tier: Literal["standard", "premium"], payload: Body[CapIn]
) -> dict[str, Any]:
    """What each person on the tier without a cap of their own may spend; seat-based
    Enterprise only.
    """
    return _cap_json(
        set_seat_tier_cap(
            organization_of(request),
            tier=tier,
            actor=_actor(request),
            **_typed(payload),
        )
    )


@router.put(
    "/caps/members/{any:member}",
    response={200: CapOut, **ERRORS},
    summary="Cap one member",
)
def member_cap(
    request: HttpRequest, member: MemberPath, payload: Body[CapIn]
) -> dict[str, Any]:
    """The member's own cap; null removes it, so that the seat tier's applies again."""
    organization = organization_of(request)
    membership = member_by_ref(organization, member)
    return _cap_json(
        set_member_cap(
            organization,
            membership=membership,
            actor=_actor(request),
            **_typed(payload),
        )
    )


@router.put(
    "/extra-usage",
    response={200: SwitchOut, **ERRORS},
    summary="Turn extra usage on or off, and choose for whom",
)
def extra_usage(request: HttpRequest, payload: Body[SwitchIn]) -> dict[str, Any]:
    """`members` left out keeps the selection as it is, `confirmation_required` whether
    members are asked before extra usage begins.
    """
    organization = organization_of(request)
    members = (
        None
        if payload.members is None
        else _members(organization.pk, [str(ref) for ref in payload.members])
    )
    account = set_extra_usage(
        organization,
        enabled=payload.enabled,
        scope=payload.scope,
        members=members,
        confirmation_required=payload.confirmation_required,
        actor=_actor(request),
        now=timezone.now(),
    )
    selected = SelectedMember.objects.filter(
        membership__organization=organization
    ).order_by("membership_id")
    ids = list(selected.values_list("membership_id", flat=True))
    return {
        "enabled": account.extra_usage_enabled,
        "scope": account.scope,
        "confirmation_required": account.confirmation_required,
        "members": ids,
    }


def _members(organization_id: int, refs: list[str]) -> list[Membership]:
    """All members named, in four queries at most.

    Raises BusinessError naming the first that is not there.
    """
    ids = {int(ref) for ref in refs if is_membership_id(ref)}
    names = {ref for ref in refs if is_external_name(ref)}
    emails = {
        canonical_address(ref)
        for ref in refs
        if not is_membership_id(ref) and ref not in names
    }
    memberships = Membership.objects.filter(
        organization_id=organization_id
    ).select_related("user")
    everybody = list(memberships)
    emails_there = {member.user.email for member in everybody}
    former = former_holders(organization_id, emails - emails_there)
    holders = external_holders(organization_id, names)
    named = ids | set(former.values()) | set(holders.values())
    members = [
        member
        for member in everybody
        if member.pk in named or member.user.email in emails
    ]
    missing = [
        *(ids - {member.pk for member in everybody}),
        *sorted(emails - emails_there - set(former)),
        *sorted(names - set(holders)),
    ]
    if missing:
        raise BusinessError(
            _("No member “%(member)s” in this organization.") % {"member": missing[0]},
            code="member_unknown",
            status=422,
            field="members",
        )
    return members
