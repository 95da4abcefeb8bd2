"""Tables of prices, usage, caps, their counters and money, re-exported so that others
import `billing.models`.
"""

from billing.models.account import (
    BillingAccount,
    ExtraUsageScope,
    SelectedMember,
    SetupStep,
)
from billing.models.billing_details import BillingDetails
from billing.models.caps import CapLevel, SpendCap
from billing.models.counters import (
    MemberMonth,
    OrganizationDay,
    OrganizationMonth,
    UsageDay,
    UsageMonth,
)
from billing.models.credit_notes import CreditNote
from billing.models.included import IncludedWindow, SeatAllowance, WindowName
from billing.models.invoices import Invoice, InvoiceLine
from billing.models.ledger import EntryKind, LedgerEntry, PendingCharge
from billing.models.months import BillingMonth
from billing.models.payments import GatewayNotice, Payment, PaymentCard, Refund
from billing.models.prices import ModelPrice, PriceList, PriceSource
from billing.models.purchase_receipts import PurchaseReceipt
from billing.models.sandbox import SandboxPayment, SandboxRefund
from billing.models.statements import Statement, StatementLine
from billing.models.usage import (
    AdjustmentSource,
    Funding,
    RepricingReason,
    Surface,
    UsageAdjustment,
    UsageEvent,
)

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
    "PurchaseReceipt",
    "Refund",
    "RepricingReason",
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
