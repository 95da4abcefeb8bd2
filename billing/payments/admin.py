"""Operators' pages of balances, payments and the ledger: refunds and credits, each with
a reason; all else is read.
"""

from __future__ import annotations

from typing import Any

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
from accounts.models import Organization, Settlement
from billing.ledger.actions import check_balance_has_room
from billing.ledger.words import entry_reason
from billing.models import (
    BillingAccount,
    Dispute,
    GatewayNotice,
    LedgerEntry,
    Payment,
    PaymentCard,
    Refund,
    SandboxPayment,
    SandboxRefund,
)
from billing.payments import processing
from billing.payments.actions.credits import post_credit
from billing.payments.actions.refunds import dispute_in_the_way, refundable_nanos
from billing.payments.queries.reloads import reload_went_off_by
from config.kit.admin import NoDelete, ReadOnly
from config.kit.errors import BusinessError
from config.kit.fields import AmountField, KeyField, refusals_on, typed_amount
from config.kit.money import format_usd, to_decimal_text
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


class CreditForm(forms.ModelForm):
    """A credit, or a correction downwards, of one balance."""

    key = KeyField()
    organization = forms.ModelChoiceField(
        label=gettext_lazy("Organization"),
        queryset=Organization.objects.filter(settlement=Settlement.PREPAID),
    )
    amount = AmountField(label=gettext_lazy("Amount (USD)"))
    takes = forms.BooleanField(
        label=gettext_lazy("Deduct it (an adjustment instead of a credit)"),
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        validators=[validate_line],
        help_text=gettext_lazy("Owners will see it in the ledger."),
    )

    class Meta:
        model = LedgerEntry
        fields = ("organization",)

    def clean(self) -> dict[str, Any] | None:
        """What the act would refuse is told at the field."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned["amount"]:
            self.add_error("amount", _("Enter an amount other than zero."))
        elif not self.errors:
            self._check_room(cleaned)
        return cleaned

    def _check_room(self, cleaned: dict[str, Any]) -> None:
        account = BillingAccount.objects.filter(
            organization=cleaned["organization"]
        ).first()
        amount_nanos = -cleaned["amount"] if cleaned["takes"] else cleaned["amount"]
        with refusals_on(self):
            check_balance_has_room(account or BillingAccount(), amount_nanos)


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


@admin.register(LedgerEntry)
class LedgerEntryAdmin(NoDelete, admin.ModelAdmin):
    """The ledger, to read; adding one gives a credit or takes an adjustment, with a reason."""

    list_display = (
        "id",
        "created_at",
        "organization",
        "kind",
        "amount",
        "balance",
        "why",
        "actor",
    )
    list_filter = ("kind",)
    list_select_related = ("organization", "actor", "refund", "dispute")
    search_fields = ("organization__slug", "reason")
    date_hierarchy = "created_at"
    show_full_result_count = False

    @admin.display(description=gettext_lazy("Amount"), ordering="amount_nanos")
    def amount(self, entry: LedgerEntry) -> str:
        """All nine places."""
        return to_decimal_text(entry.amount_nanos)

    @admin.display(description=gettext_lazy("Balance after"))
    def balance(self, entry: LedgerEntry) -> str:
        """All nine places."""
        return to_decimal_text(entry.balance_nanos)

    @admin.display(description=gettext_lazy("Reason"), ordering="reason")
    def why(self, entry: LedgerEntry) -> str:
        """In the reader's language where it is no operator's own."""
        return entry_reason(entry)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: the ledger only grows."""
        return False

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Adding is by the form of credits."""
        return super().get_form(request, obj, change, **kwargs) if obj else CreditForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's own when adding."""
        return (
            super().get_fields(request, obj)
            if obj
            else ("organization", "amount", "takes", "reason", "key")
        )

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """What the act refuses after all is told on a fresh form."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except BusinessError as error:
            messages.error(request, error.message)
            return redirect("admin:billing_ledgerentry_add")

    def save_model(
        self, request: HttpRequest, obj: LedgerEntry, form: Any, change: bool
    ) -> None:
        """Book it by the act, so that usage until now is rolled up before it."""
        typed = form.cleaned_data
        entry = post_credit(
            typed["organization"],
            amount_nanos=-typed["amount"] if typed["takes"] else typed["amount"],
            reason=typed["reason"],
            operator=operator_of(request),
            key=typed["key"],
            now=timezone.now(),
        )
        obj.pk, obj._state.adding = entry.pk, False
        obj.organization_id = entry.organization_id

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The ledger itself says who booked what."""
        return None


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
