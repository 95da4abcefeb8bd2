"""Tables of prices, usage, caps, their counters and money, re-exported so that others import `billing.models`."""

from .account import BillingAccount, ExtraUsageScope, SelectedMember, SetupStep
from .caps import CapLevel, SpendCap
from .counters import MemberMonth, OrganizationDay, OrganizationMonth, UsageDay
from .included import IncludedWindow, SeatAllowance, WindowName
from .ledger import EntryKind, LedgerEntry, PendingCharge
from .payments import GatewayNotice, Payment, PaymentCard, Refund
from .prices import ModelPrice, PriceList, PriceSource
from .sandbox import SandboxPayment, SandboxRefund
from .usage import Funding, Surface, UsageAdjustment, UsageEvent

__all__ = [
    "BillingAccount",
    "CapLevel",
    "EntryKind",
    "ExtraUsageScope",
    "Funding",
    "GatewayNotice",
    "IncludedWindow",
    "LedgerEntry",
    "MemberMonth",
    "ModelPrice",
    "OrganizationDay",
    "OrganizationMonth",
    "Payment",
    "PaymentCard",
    "PendingCharge",
    "PriceList",
    "PriceSource",
    "Refund",
    "SandboxPayment",
    "SandboxRefund",
    "SeatAllowance",
    "SelectedMember",
    "SetupStep",
    "SpendCap",
    "Surface",
    "UsageAdjustment",
    "UsageDay",
    "UsageEvent",
    "WindowName",
]
