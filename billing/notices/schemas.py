"""Shapes of the API's notices. Amounts are decimal strings of USD with 2 places, as of
caps.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from ninja import Schema
from pydantic import Field

from config.kit.api import CentsUsd

Kind = Literal[
    "organization_cap",
    "seat_tier_cap",
    "member_cap",
    "group_cap",
    "included_usage",
    "soft_limit",
    "balance_low",
    "balance_exhausted",
    "balance_short",
    "changeover",
    "channel_paused",
]


class SubjectOut(Schema):
    """Whom or what a notice is about: the organization by its slug, a member by the
    membership's id, a group by its id.
    """

    type: Literal["organization", "member", "group"]
    id: int | str


class DeliveryOut(Schema):
    """One telling of a notice. `at` is when it came to this status; of what waits, when
    it is tried next.
    """

    channel: Literal["page", "mail", "slack", "webhook"]
    to: str
    status: Literal["waiting", "sent", "failed", "overtaken"]
    tries: int
    at: dt.datetime | None


class NoticeOut(Schema):
    """One crossing of one limit. `percent` of `amount_usd`, or the amount itself."""

    id: int
    kind: Kind
    percent: int | None
    amount_usd: CentsUsd | None
    subject: SubjectOut
    month: str = Field(description="The month it counts to.", examples=["2026-11"])
    created_at: dt.datetime
    overtaken_at: dt.datetime | None = Field(
        description="Since when it is no longer true, by a raise or a purchase."
    )
    deliveries: list[DeliveryOut]


class NoticeList(Schema):
    """A page of notices, newest first."""

    results: list[NoticeOut]
    next_cursor: str | None
