"""Shapes of the calls that manage caps and the switch.

Caps are decimal strings of USD with 2 places.
"""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, StrictBool

from accounts.api_access import MemberRef
from billing.reports.schemas import ExtraUsageOut
from config.kit.api import AmountText, CentsUsd, at_most


class CapIn(Schema):
    """A cap: an amount, or null for unlimited."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"amount_usd": "50.00"}}
    )

    amount_usd: AmountText | None
    this_month_only: StrictBool = False


class CapOut(Schema):
    """The cap as it holds this month."""

    amount_usd: CentsUsd | None
    this_month_only: bool


class SwitchIn(Schema):
    """The switch; `members` are e-mail addresses or membership ids."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"enabled": True, "scope": "everyone"}},
    )

    enabled: StrictBool
    scope: Literal["everyone", "selected"]
    members: Annotated[list[MemberRef], at_most(20_000)] | None = None
    confirmation_required: StrictBool | None = None


class SwitchOut(ExtraUsageOut):
    """The switch as it is now."""

    members: list[int]
