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
from billing.models.channels import (
    CHOSEN_TYPES,
    Channel,
    ChannelDelivery,
    ChannelEvent,
    ChannelKind,
    EventType,
    PausedWhy,
)
from billing.models.confirmations import (
    ConfirmationDoor,
    ConfirmedFor,
    ExtraUsageConfirmation,
)
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
from billing.models.model_names import model_label
from billing.models.months import BillingMonth, MonthReopening
from billing.models.notice_choices import (
    NoticeChoice,
    NoticeRecipient,
    NoticeSettings,
    SoftLimit,
    SoftLimitLevel,
    ToldBy,
)
from billing.models.notices import (
    DeliveryChannel,
    Notice,
    NoticeDelivery,
    NoticeKind,
)
from billing.models.number_gaps import NumberGap, Series
from billing.models.payments import GatewayNotice, Payment, PaymentCard
from billing.models.prices import (
    Condition,
    ModelAlias,
    ModelPrice,
    PriceFactor,
    PriceList,
    PriceSource,
)
from billing.models.purchase_receipts import PurchaseReceipt
from billing.models.refunds import Refund
from billing.models.report_mails import ReportMail, ReportMailRecipient
from billing.models.returns import Dispute, InvoiceRefund
from billing.models.sandbox import SandboxPayment, SandboxRefund
from billing.models.statements import Statement, StatementLine
from billing.models.surfaces import Surface, surface_label
from billing.models.unattributed import UnattributedName
from billing.models.usage import (
    GATEWAY_COUNTED,
    AdjustmentSource,
    AssigningReason,
    Funding,
    FundingWhy,
    ReportSource,
    RepricingReason,
    UnknownModel,
    UsageAdjustment,
    UsageEvent,
    UsagePart,
)

__all__ = [
    "CHOSEN_TYPES",
    "GATEWAY_COUNTED",
    "AdjustmentSource",
    "AssigningReason",
    "BillingAccount",
    "BillingDetails",
    "BillingMonth",
    "CapLevel",
    "Channel",
    "ChannelDelivery",
    "ChannelEvent",
    "ChannelKind",
    "Condition",
    "ConfirmationDoor",
    "ConfirmedFor",
    "CreditNote",
    "DeliveryChannel",
    "Dispute",
    "EntryKind",
    "EventType",
    "ExtraUsageConfirmation",
    "ExtraUsageScope",
    "Funding",
    "FundingWhy",
    "GatewayNotice",
    "IncludedWindow",
    "Invoice",
    "InvoiceLine",
    "InvoiceRefund",
    "LedgerEntry",
    "MemberMonth",
    "ModelAlias",
    "ModelPrice",
    "MonthReopening",
    "Notice",
    "NoticeChoice",
    "NoticeDelivery",
    "NoticeKind",
    "NoticeRecipient",
    "NoticeSettings",
    "NumberGap",
    "OrganizationDay",
    "OrganizationMonth",
    "PausedWhy",
    "Payment",
    "PaymentCard",
    "PendingCharge",
    "PriceFactor",
    "PriceList",
    "PriceSource",
    "PurchaseReceipt",
    "Refund",
    "ReportMail",
    "ReportMailRecipient",
    "ReportSource",
    "RepricingReason",
    "SandboxPayment",
    "SandboxRefund",
    "SeatAllowance",
    "SelectedMember",
    "Series",
    "SetupStep",
    "SoftLimit",
    "SoftLimitLevel",
    "SpendCap",
    "Statement",
    "StatementLine",
    "Surface",
    "ToldBy",
    "UnattributedName",
    "UnknownModel",
    "UsageAdjustment",
    "UsageDay",
    "UsageEvent",
    "UsageMonth",
    "UsagePart",
    "WindowName",
    "model_label",
    "surface_label",
]
