"""What billing holds about people.

The books stay: amounts, counts and who used them by number, under a pseudonym.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.models import AuditEntry
from billing.models import InvoiceLine, StatementLine
from config.kit.personal import Personal, declare

BUYER = (
    "Who bought, as the document says: an organization, with the address it gave for"
    " bills. The law keeps documents as they were issued."
)


def _invoiced_names(user: Any) -> QuerySet[Any, Any]:
    lines = InvoiceLine.objects.filter(membership__user=user)
    return lines.values_list("member_name", flat=True).distinct()


def _stated_names(user: Any) -> QuerySet[Any, Any]:
    lines = StatementLine.objects.filter(membership__user=user)
    return lines.values_list("member_name", flat=True).distinct()


def _capped_names(user: Any) -> QuerySet[Any, Any]:
    """Of these changes the subject is the member's name on that day."""
    entries = AuditEntry.objects.filter(
        action__in=("cap.member", "extra_usage.confirmed"), membership__user=user
    )
    return entries.values_list("subject", flat=True)


def _adjusted_names(user: Any) -> list[str]:
    """“Bob Feld: event”: the name and what was adjusted."""
    entries = AuditEntry.objects.filter(
        action="usage.adjustment", membership__user=user
    )
    subjects = entries.values_list("subject", flat=True)
    return [subject.partition(": ")[0] for subject in subjects]


declare(
    Personal(
        "billing.UsageEvent",
        person="membership__user",
        texts=("labels",),
        plain=(
            "factors",
            "event_id",
            "content_digest",
            "request_id",
            "source",
            "surface",
            "model",
            "provider",
            "seat_tier",
            "funding",
            "funding_why",
            "refusal_reason",
            "windows",
        ),
        within="organization",
        exported=(
            "organization__name",
            "event_id",
            "request_id",
            "source",
            "surface",
            "model",
            "seat_tier",
            "occurred_at",
            "recorded_at",
            "month_on",
            "input_tokens",
            "output_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
            "cache_read_tokens",
            "web_searches",
            "cost_nanos",
            "funding",
            "labels",
        ),
        past_names=_adjusted_names,
    ),
    Personal(
        "billing.UnattributedName",
        texts=("sent_as",),
        within="organization",
        by_address="sent_as",
        exported=(
            "organization__name",
            "sent_as",
            "events",
            "first_seen_at",
            "last_seen_at",
        ),
    ),
    Personal("billing.UsagePart", plain=("factors", "kind", "model")),
    Personal(
        "billing.UsageAdjustment",
        person="membership__user",
        texts=("reason",),
        plain=("source", "key", "counted"),
        within="organization",
        exported=(
            "organization__name",
            "event__event_id",
            "created_at",
            "amount_nanos",
            "reason",
        ),
    ),
    Personal(
        "billing.SpendCap",
        person="membership__user",
        plain=("level", "seat_tier"),
        exported=(
            "organization__name",
            "amount_nanos",
            "month_on",
            "month_amount_nanos",
        ),
        past_names=_capped_names,
    ),
    Personal(
        "billing.ExtraUsageConfirmation",
        person="membership__user",
        plain=("confirmed_for", "windows", "door"),
        exported=(
            "membership__organization__name",
            "created_at",
            "confirmed_for",
            "until_at",
            "door",
        ),
    ),
    Personal(
        "billing.MemberMonth",
        person="membership__user",
        exported=("membership__organization__name", "month_on", "extra_nanos"),
    ),
    Personal(
        "billing.InvoiceLine",
        person="membership__user",
        copies={"member_name": "name", "member_email": "email"},
        texts=("reason",),
        plain=("kind", "surface", "model", "about"),
        exported=(
            "invoice__number",
            "member_name",
            "member_email",
            "surface",
            "model",
            "events",
            "amount_nanos",
        ),
        past_names=_invoiced_names,
    ),
    Personal(
        "billing.StatementLine",
        person="membership__user",
        copies={"member_name": "name", "member_email": "email"},
        exported=(
            "statement__month_on",
            "member_name",
            "member_email",
            "charges_nanos",
            "adjustments_nanos",
        ),
        past_names=_stated_names,
    ),
    Personal(
        "billing.LedgerEntry",
        person="membership__user",
        texts=("reason",),
        plain=("kind", "key"),
        within="organization",
        exported=("organization__name", "kind", "day_on", "created_at", "amount_nanos"),
    ),
    Personal(
        "billing.CreditNote",
        texts=("reason",),
        plain=("number", "key"),
        within="organization",
    ),
    Personal(
        "billing.Refund",
        texts=("reason",),
        plain=("status", "key", "gateway_id", "failure"),
        within="payment__organization",
    ),
    Personal(
        "billing.Invoice",
        texts=("settled_note",),
        kept=("seller", "buyer"),
        why=BUYER,
        plain=(
            "status",
            "number",
            "tax_label",
            "zone",
            "gateway",
            "gateway_id",
            "gateway_payment_id",
            "gateway_url",
            "gateway_error",
        ),
        within="organization",
    ),
    Personal(
        "billing.Statement",
        kept=("seller", "buyer"),
        plain=("zone",),
        why=BUYER,
        within="organization",
    ),
    Personal(
        "billing.PurchaseReceipt",
        kept=("seller", "buyer"),
        plain=("number", "tax_label", "zone"),
        why=BUYER,
        within="organization",
    ),
    Personal(
        "billing.BillingDetails",
        kept=("legal_name", "address", "tax_id", "reference", "tax_label"),
        why="What the organization wants on its documents; its owners change it.",
    ),
    Personal(
        "billing.Notice",
        person="membership__user",
        plain=("kind", "subject", "window", "facts"),
        within="organization",
        exported=(
            "organization__name",
            "kind",
            "percent",
            "limit_nanos",
            "spent_nanos",
            "created_at",
        ),
    ),
    Personal(
        "billing.NoticeDelivery",
        person="membership__user",
        texts=("address",),
        plain=("channel",),
        within="notice__organization",
        by_address="address",
        exported=("notice__kind", "channel", "address", "created_at", "seen_at"),
    ),
    Personal(
        "billing.NoticeChoice",
        person="membership__user",
        plain=("kind", "told_by"),
        exported=("membership__organization__name", "kind", "told_by"),
    ),
    Personal(
        "billing.NoticeRecipient",
        person="membership__user",
        texts=("address",),
        plain=("language",),
        within="organization",
        by_address="address",
        exported=("organization__name", "address", "language", "added_at", "agreed_at"),
    ),
    Personal(
        "billing.ReportMail",
        person="created_by__user",
        texts=("query",),
        within="organization",
    ),
    Personal(
        "billing.ReportMailRecipient",
        person="membership__user",
        exported=("report_mail__organization__name", "report_mail__query"),
    ),
    Personal(
        "billing.SoftLimit",
        person="membership__user",
        plain=("level", "seat_tier"),
        exported=("organization__name", "amount_nanos", "created_at"),
    ),
    Personal(
        "billing.Channel",
        texts=("name",),
        plain=(
            "kind",
            "sealed_url",
            "host",
            "url_end",
            "sealed_secret",
            "sealed_old_secret",
            "events",
            "paused_why",
        ),
        within="organization",
    ),
    Personal(
        "billing.ChannelDelivery",
        texts=("answer",),
        plain=("message_id", "fault"),
        within="channel__organization",
    ),
    Personal("billing.ChannelEvent", plain=("type", "key", "payload")),
    # -- Nobody's ----------------------------------------------------------------------
    Personal("billing.BillingAccount", plain=("scope", "setup_step")),
    Personal(
        "billing.NoticeSettings",
        plain=(
            "organization_percents",
            "member_percents",
            "included_percents",
            "edges",
        ),
    ),
    Personal("billing.BillingMonth", plain=("zone", "state")),
    Personal(
        "billing.MonthReopening",
        kept=("reason",),
        plain=("reopened_by",),
        why="An operator's word on a close that was taken back.",
    ),
    Personal(
        "billing.NumberGap",
        kept=("reason",),
        plain=("series", "skipped_by"),
        why="An operator's word on numbers that no document has.",
    ),
    Personal("billing.ModelPrice", plain=("source", "provider", "model")),
    Personal(
        "billing.PriceFactor",
        plain=("source", "condition", "value", "pattern", "reference"),
    ),
    Personal("billing.ModelAlias", plain=("name", "provider", "model", "source")),
    Personal("billing.OrganizationDay", plain=("surface",)),
    Personal("billing.UsageDay", plain=("surface", "model", "seat_tier")),
    Personal("billing.UsageMonth", plain=("surface", "model")),
    Personal("billing.SeatAllowance", plain=("plan", "seat_tier", "name")),
    Personal("billing.IncludedWindow", plain=("name",)),
    Personal("billing.PendingCharge", plain=("kind",)),
    Personal(
        "billing.PaymentCard",
        plain=("gateway", "customer_id", "card_id", "brand", "last4"),
    ),
    Personal(
        "billing.Payment",
        plain=(
            "purpose",
            "status",
            "key",
            "gateway",
            "customer_id",
            "card_id",
            "card_label",
            "gateway_id",
            "action_url",
            "decline_code",
            "decline_message",
        ),
    ),
    Personal(
        "billing.GatewayNotice",
        plain=("gateway", "notice_id", "kind", "payment_intent", "waiting"),
    ),
    Personal("billing.Dispute", plain=("gateway", "gateway_id", "status", "reason")),
    Personal("billing.InvoiceRefund", plain=("gateway_id", "reason", "failure")),
    Personal(
        "billing.SandboxPayment", plain=("key", "customer_id", "card_id", "status")
    ),
    Personal("billing.SandboxRefund", plain=("key",)),
)
