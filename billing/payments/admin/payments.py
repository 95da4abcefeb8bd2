"""Operators' pages of balances, payments and the ledger: refunds and credits, each with
a reason; all else is read.
"""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from billing.models import (
    BillingAccount,
    Dispute,
    GatewayNotice,
    Payment,
    PaymentCard,
    Refund,
    SandboxPayment,
    SandboxRefund,
)
from billing.payments import processing
from billing.payments.actions.refunds import dispute_in_the_way, refundable_nanos
from billing.payments.queries.reloads import reload_went_off_by
from config.kit.admin import ReadOnly
from config.kit.errors import BusinessError
from config.kit.fields import AmountField, KeyField, typed_amount
from config.kit.money import format_usd
from config.kit.one_line import validate_line


class RefundForm(forms.Form):
    """How much of a purchase goes back, and why."""

    key = KeyField()
    amount = AmountField(label=gettext_lazy("Amount (USD)"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        validators=[validate_line],
        help_text=gettext_lazy("Owners will see it in the ledger."),
    )


def say_refund(request: HttpRequest, refund: Refund) -> None:
    """What became of a refund, and of auto-reload by it."""
    texts = {
        "amount": format_usd(refund.amount_nanos),
        "status": refund.get_status_display(),
    }
    messages.info(request, _("Refund of %(amount)s: %(status)s") % texts)
    if reload_went_off_by(refund):
        warning = _(
            "This brought the balance down to the reload threshold, so auto-reload "
            "is now off. Owners can turn it back on."
        )
        messages.warning(request, warning)


class RefundInline(ReadOnly, admin.TabularInline):
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


class DisputeInline(ReadOnly, admin.TabularInline):
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
class PaymentAdmin(ReadOnly, admin.ModelAdmin):
    """Every payment; a paid one can be refunded as far as it is unused (T7)."""

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
    list_filter = ("status", "purpose", "gateway")
    list_select_related = ("organization",)
    search_fields = ("organization__slug", "key", "gateway_id")
    date_hierarchy = "created_at"
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
        "refund_link",
    )
    readonly_fields = ("amount", "refund_link")

    @admin.display(description=gettext_lazy("Amount"), ordering="amount_nanos")
    def amount(self, payment: Payment) -> str:
        """In USD."""
        return format_usd(payment.amount_nanos)

    @admin.display(description=gettext_lazy("Refund"))
    def refund_link(self, payment: Payment) -> str:
        """The link to refund what is unused."""
        left = refundable_nanos(payment)
        if dispute_in_the_way(payment):
            return _("It is disputed, so the bank decides who gets the money.")
        if not left:
            return _("There is nothing left to refund.")
        url = reverse("admin:billing_payment_refund", args=[payment.pk])
        return format_html(
            '<a href="{}">{}</a>',
            url,
            _("Refund up to %(left)s") % {"left": format_usd(left)},
        )

    def get_urls(self) -> list[URLPattern]:
        """With the page that refunds."""
        view = self.admin_site.admin_view(self.refund)
        view.access = "operators"  # type: ignore[attr-defined]
        return [
            path("<int:payment_id>/refund/", view, name="billing_payment_refund"),
            *super().get_urls(),
        ]

    def refund(self, request: HttpRequest, payment_id: int) -> HttpResponse:
        """Refund an amount, with a reason."""
        if not request.user.has_perm("billing.add_refund"):
            raise PermissionDenied
        payment = get_object_or_404(
            Payment.objects.select_related("organization"), pk=payment_id
        )
        initial = {"amount": typed_amount(refundable_nanos(payment))}
        form = RefundForm(
            request.POST if request.method == "POST" else None, initial=initial
        )
        if form.is_valid():
            try:
                refund = processing.refund(
                    payment,
                    amount_nanos=form.cleaned_data["amount"],
                    reason=form.cleaned_data["reason"],
                    operator=operator_of(request),
                    key=form.cleaned_data["key"],
                    now=timezone.now(),
                )
            except BusinessError as error:
                form.add_error(
                    error.field if error.field in form.fields else None, error.message
                )
            else:
                say_refund(request, refund)
                return redirect("admin:billing_payment_change", payment_id)
        account = BillingAccount.objects.filter(
            organization=payment.organization, auto_reload_enabled=True
        ).first()
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "payment": payment,
            "opts": self.model._meta,
            "title": _("Refund"),
            "left": format_usd(refundable_nanos(payment)),
            "reloading": account,
        }
        return render(
            request,
            "admin/billing/payment/refund.html",
            context,
            status=422 if form.errors else 200,
        )


@admin.register(PaymentCard)
class PaymentCardAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "organization",
        "gateway",
        "brand",
        "last4",
        "expires_on",
        "saved_at",
    )
    list_select_related = ("organization",)
    search_fields = ("organization__slug", "customer_id")


@admin.register(GatewayNotice)
class GatewayNoticeAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "received_at",
        "gateway",
        "kind",
        "notice_id",
        "payment_intent",
        "payment",
    )
    search_fields = ("notice_id", "payment_intent")
    list_filter = ("gateway", "kind")
    list_select_related = ("payment",)


@admin.register(Refund)
class RefundAdmin(ReadOnly, admin.ModelAdmin):
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
