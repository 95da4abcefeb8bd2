"""Tables of prices, usage, caps and their counters, re-exported so that others import `billing.models`."""

from .account import BillingAccount, ExtraUsageScope, SelectedMember
from .caps import CapLevel, SpendCap
from .counters import MemberMonth, OrganizationDay, OrganizationMonth, UsageDay
from .included import IncludedWindow, SeatAllowance, WindowName
from .prices import ModelPrice, PriceList, PriceSource
from .usage import Funding, Surface, UsageAdjustment, UsageEvent

__all__ = [
    "BillingAccount",
    "CapLevel",
    "ExtraUsageScope",
    "Funding",
    "IncludedWindow",
    "MemberMonth",
    "ModelPrice",
    "OrganizationDay",
    "OrganizationMonth",
    "PriceList",
    "PriceSource",
    "SeatAllowance",
    "SelectedMember",
    "SpendCap",
    "Surface",
    "UsageAdjustment",
    "UsageDay",
    "UsageEvent",
    "WindowName",
]
