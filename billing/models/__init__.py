"""Tables of prices, usage, caps, their counters and money, re-exported so that others import `billing.models`."""

from .account import BillingAccount, ExtraUsageScope, SelectedMember, SetupStep
from .caps import CapLevel, SpendCap
from .counters import MemberMonth, OrganizationDay, OrganizationMonth, UsageDay, UsageMonth
from .included import IncludedWindow, SeatAllowance, WindowName
from .invoices import BillingDetails, CreditNote, Invoice, InvoiceLine
from .ledger import EntryKind, LedgerEntry, PendingCharge
from .months import BillingMonth
from .payments import GatewayNotice, Payment, PaymentCard, Refund
from .prices import ModelPrice, PriceList, PriceSource
from .sandbox import SandboxPayment, SandboxRefund
from .statements import Statement, StatementLine
from .usage import AdjustmentSource, Funding, Surface, UsageAdjustment, UsageEvent

__all__ = [
    "AdjustmentSource",
    "BillingAccount",
    "BillingDetails",
    "BillingMonth",
    "CapLevel",
    "CreditNote",
    "EntryKind",
    "ExtraUsageScope",
    "Funding",
    "GatewayNotice",
    "IncludedWindow",
    "Invoice",
    "InvoiceLine",
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
    "Statement",
    "StatementLine",
    "Surface",
    "UsageAdjustment",
    "UsageDay",
    "UsageEvent",
    "UsageMonth",
    "WindowName",
]
