"""Shapes of the organization and its members.

Money is a decimal string of USD with 9 places, caps with 2.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from ninja import Schema

from config.kit.api import CentsUsd, Usd


class ExtraUsageOut(Schema):
    """The switch, for whom, and whether each is asked before extra usage begins."""

    enabled: bool
    scope: Literal["everyone", "selected"]
    confirmation_required: bool


class MonthOut(Schema):
    """The current billing month, as instants."""

    start: dt.datetime
    end: dt.datetime


class OrganizationOut(Schema):
    """The key's organization."""

    slug: str
    name: str
    plan: str
    settlement: str
    timezone: str
    extra_usage: ExtraUsageOut
    cap_usd: CentsUsd | None
    mtd_spend_usd: Usd
    month: MonthOut
    balance_usd: Usd | None
    leases_allowed: bool


class WindowOut(Schema):
    """One included window."""

    name: str
    limit_usd: Usd
    used_usd: Usd
    resets_at: dt.datetime | None


class BlockedOut(Schema):
    """Why the member can't go on, and until when."""

    reason: str
    message: str
    short_message: str
    resets_at: dt.datetime | None


class ExternalIdOut(Schema):
    """How another system names the member; as text, `issuer:subject`."""

    issuer: str
    subject: str


class MemberOut(Schema):
    """One member, with what a check would look at."""

    id: int
    email: str
    name: str
    external_ids: list[ExternalIdOut]
    role: Literal["member", "admin", "owner", "primary_owner"]
    seat_tier: Literal["standard", "premium"] | None
    status: Literal["active", "removed", "switched_off"]
    extra_usage_enabled: bool
    cap_usd: CentsUsd | None
    cap_source: Literal["member", "seat_tier", "none"]
    cap_this_month_only: bool
    mtd_spend_usd: Usd
    windows: list[WindowOut]
    blocked: BlockedOut | None


class MemberList(Schema):
    """A page of members."""

    results: list[MemberOut]
    next_cursor: str | None
