"""Reading the organization and its members. Scope `read`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from accounts.api_access import (
    KeyAuth,
    MemberPath,
    member_called,
    organization_of,
)
from accounts.models import Membership, Scope
from billing.funding.queries import organization_standing, standing_of, standings_for
from billing.funding.rules.decision import decide
from billing.funding.rules.standing import Cap, Standing
from billing.funding.words import refusal_message, short_message
from billing.reports.schemas import MemberList, MemberOut, OrganizationOut
from config.kit.api import ERRORS
from config.kit.dates import rfc3339
from config.kit.money import to_decimal_text

router = Router(tags=["Reading"], auth=KeyAuth(Scope.READ))
PAGE = 100


def cap_usd(cap: Cap) -> str | None:
    """A cap as the API writes it."""
    return (
        None
        if cap.amount_nanos is None
        else to_decimal_text(cap.amount_nanos, places=2)
    )


@router.get(
    "/organization",
    response={200: OrganizationOut, **ERRORS},
    summary="The key's organization",
)
def organization(request: HttpRequest) -> dict[str, Any]:
    """Plan, switch, cap and spend of the current month."""
    standing = organization_standing(organization_of(request).pk, now=timezone.now())
    return {
        "slug": standing.slug,
        "name": standing.name,
        "plan": standing.plan,
        "settlement": standing.settlement,
        "timezone": standing.month.zone,
        "extra_usage": {
            "enabled": standing.is_on,
            "scope": standing.scope,
            "confirmation_required": standing.asks_first,
        },
        "cap_usd": cap_usd(standing.cap),
        "mtd_spend_usd": to_decimal_text(standing.spent_nanos),
        "month": {"start": standing.month.start, "end": standing.month.end},
        "leases_allowed": standing.leases_allowed,
        "balance_usd": None
        if standing.balance_nanos is None
        else to_decimal_text(standing.balance_nanos),
    }


def member_json(
    member: Membership, standing: Standing, *, now: dt.datetime
) -> dict[str, Any]:
    """One member as the API writes it."""
    decision = decide(standing)
    blocked = None
    if not decision.allowed:
        language = standing.language
        blocked = {
            "reason": decision.reason,
            "message": refusal_message(decision, standing, language=language, now=now),
            "short_message": short_message(
                decision, standing, language=language, now=now
            ),
            "resets_at": rfc3339(decision.resets_at),
        }
    return {
        "id": member.pk,
        "email": member.user.email,
        "name": member.user.name,
        "external_ids": [
            {"issuer": one.issuer, "subject": one.subject}
            for one in member.external_ids.all()
        ],
        "role": member.role.value,
        "seat_tier": member.seat_tier,
        "status": "switched_off" if standing.is_switched_off else member.status,
        "extra_usage_enabled": standing.is_enabled,
        "cap_usd": cap_usd(standing.cap),
        "cap_source": standing.cap_source.value,
        "cap_this_month_only": standing.cap.month_only,
        "mtd_spend_usd": to_decimal_text(standing.spent_nanos),
        "windows": [
            {
                "name": window.name,
                "limit_usd": to_decimal_text(window.limit_nanos),
                "used_usd": to_decimal_text(window.used_nanos),
                "resets_at": rfc3339(window.resets_at),
            }
            for window in (
                standing.windows if standing.organization.has_windows else []
            )
        ],
        "blocked": blocked,
    }


@router.get(
    "/members",
    response={200: MemberList, **ERRORS},
    summary="All members, removed ones included",
)
def members(
    request: HttpRequest,
    cursor: Annotated[
        str | None, Query(max_length=30, pattern=r"^[0-9]{1,18}$")
    ] = None,
) -> dict[str, Any]:
    """Pages of 100 by id; `next_cursor` of one call is the `cursor` of the next."""
    organization, now = organization_of(request), timezone.now()
    memberships = Membership.objects.filter(
        organization=organization, pk__gt=int(cursor or 0)
    ).order_by("pk")
    memberships = memberships.select_related("user", "organization")
    with_next = list(memberships.prefetch_related("external_ids")[: PAGE + 1])
    page = with_next[:PAGE]
    standings = standings_for(organization.pk, [member.pk for member in page], now=now)
    return {
        "results": [
            member_json(member, standings[member.pk], now=now) for member in page
        ],
        "next_cursor": str(page[-1].pk) if len(with_next) > PAGE else None,
    }


@router.get(
    "/members/{any:member}",
    auth=KeyAuth(Scope.READ, Scope.SELF),
    response={200: MemberOut, **ERRORS},
    summary="One member",
)
def member(request: HttpRequest, member: MemberPath) -> dict[str, Any]:
    """By e-mail address (case-insensitive), membership id or external id; a personal
    token reads its own member alone.
    """
    organization, now = organization_of(request), timezone.now()
    membership = member_called(request, member)
    return member_json(
        membership,
        standing_of(membership.pk, organization_id=organization.pk, now=now),
        now=now,
    )
