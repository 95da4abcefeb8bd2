"""Builders of reported events and of an organization with extra usage on."""

from __future__ import annotations

import datetime as dt
import itertools

from accounts.models import Membership, Organization
from billing.metering.rules.events import ReportedEvent
from billing.models import BillingAccount, SpendCap
from billing.prices.rules import Usage
from config.kit.money import usd as nanos

NANOS_PER_OUTPUT_TOKEN = 10_000  # claude-sonnet-5: $10 per million output tokens
_ids = itertools.count(1)


def event(
    member: Membership | str,
    *,
    at: dt.datetime,
    usd: str = "0.10",
    id: str | None = None,
    surface: str = "claude_code",
    authorization: str | None = None,
    labels: dict[str, str] | None = None,
) -> ReportedEvent:
    """An event of claude-sonnet-5 that costs exactly `usd`."""
    return ReportedEvent(
        id=id or f"event-{next(_ids)}",
        member=member if isinstance(member, str) else member.user.email,
        surface=surface,
        model="claude-sonnet-5",
        occurred_at=at,
        usage=Usage(output_tokens=nanos(usd) // NANOS_PER_OUTPUT_TOKEN),
        authorization=authorization,
        labels=labels or {},
    )


def enable_extra_usage(
    organization: Organization, *, cap: str | None = "12000", scope: str = "everyone"
) -> None:
    """Extra usage on, with an organization cap of `cap` USD."""
    BillingAccount.objects.update_or_create(
        organization=organization,
        defaults={"extra_usage_enabled": True, "scope": scope},
    )
    SpendCap.objects.update_or_create(
        organization=organization,
        level="organization",
        defaults={"amount_nanos": None if cap is None else nanos(cap)},
    )
