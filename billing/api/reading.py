"""Reading: organization, members, usage by group, and the receipt of an event. Scope `read`."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import Field

from accounts.api_access import KeyAuth
from accounts.models import Membership, Organization, Scope
from billing.api.metering import json_response, rfc3339
from billing.api.metering import router as metering_router
from billing.api.schemas import ERRORS, EventOut, MemberList, MemberOut, OrganizationOut, UsageList
from billing.models import UsageEvent
from billing.queries.reports import SUMS, UsageReport, usage_report
from billing.queries.standing import is_membership_id, organization_standing, standing_of, standings_for
from billing.receipts import receipt_of
from billing.rules.funding import decide
from billing.rules.standing import Cap, Standing
from billing.sentences import refusal_message
from config.kit.csv_files import plain
from config.kit.errors import BusinessError
from config.kit.money import to_decimal_text

router = Router(tags=["Reading"], auth=KeyAuth(Scope.READ))
PAGE = 100
ONE_GROUP = r"(day|member|surface|model|seat_tier|label:[^,\x00]{1,60})"
GROUP_PATTERN = rf"^({ONE_GROUP}(,{ONE_GROUP})*)?$"
MemberPath = Annotated[str, Field(max_length=254)]


def organization_of(request: HttpRequest) -> Organization:
    """The organization of the key that called."""
    return request.auth.organization  # type: ignore[attr-defined,no-any-return]


def cap_usd(cap: Cap) -> str | None:
    """A cap as the API writes it."""
    return None if cap.amount_nanos is None else to_decimal_text(cap.amount_nanos, places=2)


@router.get("/organization", response={200: OrganizationOut, **ERRORS}, summary="The key's organization")
def organization(request: HttpRequest) -> dict[str, Any]:
    """Plan, switch, cap and spend of the current month."""
    standing = organization_standing(organization_of(request).pk, now=timezone.now())
    return {
        "slug": standing.slug,
        "name": standing.name,
        "plan": standing.plan,
        "settlement": standing.settlement,
        "timezone": standing.month.zone,
        "extra_usage": {"enabled": standing.is_on, "scope": standing.scope},
        "cap_usd": cap_usd(standing.cap),
        "mtd_spend_usd": to_decimal_text(standing.spent_nanos),
        "month": {"start": standing.month.start, "end": standing.month.end},
        "balance_usd": None if standing.balance_nanos is None else to_decimal_text(standing.balance_nanos),
    }


def member_by_ref(organization: Organization, ref: str) -> Membership:
    """The membership, removed or not, with this e-mail address or id. Raises BusinessError 404."""
    memberships = Membership.objects.select_related("user", "organization").filter(organization=organization)
    found = (
        memberships.filter(pk=int(ref))
        if is_membership_id(ref)
        else memberships.filter(user__email=ref.replace("\0", "").strip().lower())
    )
    member = found.first()
    if member is None:
        raise BusinessError(
            _("No member “%(member)s” in this organization.") % {"member": ref}, code="member_not_found", status=404
        )
    return member


def member_json(member: Membership, standing: Standing, *, now: dt.datetime) -> dict[str, Any]:
    """One member as the API writes it."""
    decision = decide(standing)
    blocked = None
    if not decision.allowed:
        message = refusal_message(decision, standing, language=standing.language, now=now)
        blocked = {"reason": decision.reason, "message": message, "resets_at": rfc3339(decision.resets_at)}
    return {
        "id": member.pk,
        "email": member.user.email,
        "name": member.user.name,
        "role": member.role.value,
        "seat_tier": member.seat_tier,
        "status": member.status,
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
            for window in (standing.windows if standing.organization.has_windows else [])
        ],
        "blocked": blocked,
    }


@router.get("/members", response={200: MemberList, **ERRORS}, summary="All members, removed ones included")
def members(
    request: HttpRequest, cursor: Annotated[str | None, Query(max_length=30, pattern=r"^[0-9]{1,18}$")] = None
) -> dict[str, Any]:
    """Pages of 100 by id; `next_cursor` of one call is the `cursor` of the next."""
    organization, now = organization_of(request), timezone.now()
    found = Membership.objects.filter(organization=organization, pk__gt=int(cursor or 0)).order_by("pk")
    page = list(found.select_related("user", "organization")[: PAGE + 1])
    shown = page[:PAGE]
    standings = standings_for(organization.pk, [member.pk for member in shown], now=now)
    return {
        "results": [member_json(member, standings[member.pk], now=now) for member in shown],
        "next_cursor": str(shown[-1].pk) if len(page) > PAGE else None,
    }


@router.get("/members/{member}", response={200: MemberOut, **ERRORS}, summary="One member")
def member(request: HttpRequest, member: MemberPath) -> dict[str, Any]:
    """By e-mail address (case-insensitive) or membership id."""
    organization, now = organization_of(request), timezone.now()
    found = member_by_ref(organization, member)
    return member_json(found, standing_of(found.pk, organization_id=organization.pk, now=now), now=now)


# On the metering router: one path, one view, whatever the method.
@metering_router.get(
    "/usage",
    auth=KeyAuth(Scope.READ),
    tags=["Reading"],
    response={200: UsageList, **ERRORS},
    summary="Usage by group, JSON or CSV",
)
def usage(
    request: HttpRequest,
    start: Annotated[dt.date, Query(description="First day, in the organization's zone.")],
    end: Annotated[dt.date, Query(description="Day after the last, in the organization's zone.")],
    group_by: Annotated[
        str,
        Query(
            max_length=300,
            pattern=GROUP_PATTERN,
            description="Any of day, member, surface, model, seat_tier, label:KEY, by commas.",
        ),
    ] = "day",
) -> HttpResponse:
    """Sums of events and adjustments; `Accept: text/csv` answers CSV."""
    report = usage_report(organization_of(request).pk, start=start, end=end, group_by=group_by)
    if "text/csv" in request.headers.get("Accept", ""):
        return _csv(report)
    return json_response({"results": [_usage_json(report, row) for row in report.rows], "next_cursor": None})


def _usage_json(report: UsageReport, row: tuple[Any, ...]) -> dict[str, Any]:
    keys = dict(zip(report.keys, row[: len(report.keys)], strict=True))
    sums = dict(zip(SUMS, row[len(report.keys) :], strict=True))
    money = {name: to_decimal_text(value) if name.endswith("_usd") else value for name, value in sums.items()}
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in keys.items()} | money


def _csv(report: UsageReport) -> HttpResponse:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*report.keys, *SUMS])
    for row in report.rows:
        cells = _usage_json(report, row)
        writer.writerow([plain(cell) if isinstance(cell, str) else cell for cell in cells.values()])
    return HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")


@router.get("/events/{path:event_id}", response={200: EventOut, **ERRORS}, summary="The receipt of an event")
def event(request: HttpRequest, event_id: str) -> dict[str, Any]:
    """Tokens × rates, the rounding, who paid and why, and what was booked later."""
    events = UsageEvent.objects.select_related("price", "membership__user").prefetch_related("adjustments")
    found = events.filter(organization=organization_of(request), event_id=event_id.replace("\0", "")).first()
    if found is None:
        raise BusinessError(
            _("No event “%(id)s” in this organization.") % {"id": event_id[:200]}, code="event_not_found", status=404
        )
    return _event_json(found)


def _event_json(event: UsageEvent) -> dict[str, Any]:
    receipt = receipt_of(event)
    exact = sum((Decimal(line.count) * line.rate_nanos / line.per for line in receipt.lines), Decimal(0))
    return {
        "id": event.event_id,
        "member": event.membership_id,
        "email": event.membership.user.email,
        "surface": event.surface,
        "model": event.model,
        "seat_tier": event.seat_tier or None,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "month": f"{event.month_on:%Y-%m}",
        "lines": [
            {"kind": line.kind, "count": line.count, "rate_usd": line.rate_usd, "per": line.per}
            for line in receipt.lines
        ],
        "exact_usd": f"{exact / 10**9:.15f}",
        "cost_usd": to_decimal_text(event.cost_nanos),
        "adjustments": [
            {
                "amount_usd": to_decimal_text(one.amount_nanos),
                "reason": one.reason,
                "month": f"{one.month_on:%Y-%m}",
                "created_at": one.created_at,
            }
            for one in event.adjustments.all()
        ],
        "estimated": event.estimated,
        "funding": event.funding,
        "funding_why": event.funding_why,
        "refusal_reason": event.refusal_reason or None,
        "labels": event.labels,
    }
