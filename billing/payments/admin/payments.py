"""Operators' pages of payments, refunds and cards, to read: what is done with them is a
step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.admin.steps import step_url
from accounts.operators.steps import Chosen, LeadsToSteps
from billing.models import (
    Dispute,
    GatewayNotice,
    Payment,
    PaymentCard,
    Refund,
    SandboxPayment,
    SandboxRefund,
)
from billing.payments.actions.refunds import dispute_in_the_way, refundable_nanos
from config.kit.admin import ReadOnly
from config.kit.columns import dollars
from config.kit.large_tables import LargeTable, RecentValues
from config.kit.money import format_usd


class OfPayment(ReadOnly, admin.TabularInline):
    """Rows below a payment: their times are the customer's, as the payment's are."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the organization whose clock it is."""
        return super().get_queryset(request).select_related("payment__organization")


class RefundInline(OfPayment):
    model = Refund
    fields = (
        "amount_nanos",
        "status",
        "reason",
        "created_by",
        "created_at",
        "settled_at",
        "failure",
    )
    extra = 0


class DisputeInline(OfPayment):
    model = Dispute
    fields = (
        "gateway_id",
        "amount_nanos",
        "status",
        "is_inquiry",
        "reason",
        "opened_at",
        "evidence_due_at",
        "withdrawn_at",
        "reinstated_at",
        "closed_at",
    )
    extra = 0


@admin.register(Payment)
class PaymentAdmin(LeadsToSteps, ReadOnly, LargeTable, admin.ModelAdmin):
    """Every payment; a paid one leads to its refund, as far as it is unused (T7)."""

    list_display = (
        "created_at",
        "organization",
        "purpose",
        "amount",
        "status",
        "card_label",
        "gateway",
        "gateway_id",
    )
    list_filter = (
        "status",
        "purpose",
        ("gateway", RecentValues),
        ("created_at", admin.DateFieldListFilter),
    )
    list_select_related = ("organization",)
    found_by = (
        "organization__slug",
        "key",
        "gateway_id",
    )
    inlines = (RefundInline, DisputeInline)
    fields = (
        "organization",
        "purpose",
        "amount",
        "status",
        "card_label",
        "gateway",
        "gateway_id",
        "key",
        "decline_code",
        "decline_message",
        "created_by",
        "created_at",
        "settled_at",
        "next_check_at",
        "checks",
        "refundable",
    )
    readonly_fields = ("amount", "refundable")

    @admin.display(description=gettext_lazy("Amount"), ordering="amount_nanos")
    def amount(self, payment: Payment) -> str:
        """In USD."""
        return dollars(payment.amount_nanos)

    def row_title(self, payment: Payment) -> str:
        """What was paid, not the key it was asked for with."""
        amount = format_usd(payment.amount_nanos)
        return f"{payment.get_purpose_display()}, {amount}"

    @admin.display(description=gettext_lazy("Refund"))
    def refundable(self, payment: Payment) -> str:
        """How much of it can go back."""
        left = refundable_nanos(payment)
        if dispute_in_the_way(payment):
            return _("It is disputed, so the bank decides who gets the money.")
        if not left:
            return _("There is nothing left to refund.")
        return _("%(left)s can be refunded") % {"left": format_usd(left)}

    def steps_on(self, row: Payment) -> Iterator[Chosen]:
        """Refund what is unused; ask about what has no answer."""
        if row.status in Payment.OPEN:
            yield "ask-gateway", {"payment": row.pk}
        if refundable_nanos(row):
            yield "refund", {"payment": row.pk}

    def get_urls(self) -> list[URLPattern]:
        """With the address that refunds had before they were steps."""
        view = self.admin_site.admin_view(self.refund)
        view.access = "operators"  # type: ignore[attr-defined]
        return [
            path("<int:payment_id>/refund/", view, name="billing_payment_refund"),
            *super().get_urls(),
        ]

    def refund(self, request: HttpRequest, payment_id: int) -> HttpResponse:
        """To the step, with the purchase chosen."""
        if not operator_of(request).has_perm("billing.add_refund"):
            raise PermissionDenied
        payment = get_object_or_404(
            Payment.objects.select_related("organization"), pk=payment_id
        )
        url = step_url("refund", payment.organization)
        return redirect(f"{url}?payment={payment.pk}")


@admin.register(PaymentCard)
class PaymentCardAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "organization",
        "gateway",
        "brand",
        "last4",
        "expires_on",
        "saved_at",
    )
    list_select_related = ("organization",)
    found_by = (
        "organization__slug",
        "customer_id",
    )


@admin.register(GatewayNotice)
class GatewayNoticeAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "received_at",
        "gateway",
        "kind",
        "notice_id",
        "payment_intent",
        "payment",
    )
    list_filter = (("gateway", RecentValues), ("kind", RecentValues))
    list_select_related = ("payment",)
    found_by = ("notice_id", "payment_intent", "payment__gateway_id")


@admin.register(Refund)
class RefundAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "created_at",
        "payment",
        "amount_nanos",
        "status",
        "reason",
        "created_by",
    )
    list_filter = ("status",)
    list_select_related = ("payment", "created_by")
    found_by = ("payment__gateway_id", "payment__organization__slug")


@admin.register(SandboxPayment)
class SandboxPaymentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "created_at",
        "key",
        "customer_id",
        "card_id",
        "amount_cents",
        "status",
    )
    list_filter = ("status",)


@admin.register(SandboxRefund)
class SandboxRefundAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("created_at", "key", "payment", "amount_cents")
    list_select_related = ("payment",)
