"""Money that went back at the gateway outside our hands: disputes, and refunds of what
paid an invoice.

A refund of a purchase is a `Refund` like an operator's own, without an operator.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from billing.models.invoices import Invoice
from billing.models.payments import Payment

# Why a cardholder disputes, by Stripe's codes
# (https://docs.stripe.com/disputes/categories), in the reader's language.
DISPUTE_REASONS = {
    "bank_cannot_process": _("the bank could not process it"),
    "credit_not_processed": _("a refund was promised and did not come"),
    "customer_initiated": _("the account's holder asked for the money back"),
    "debit_not_authorized": _("the account's holder did not authorize it"),
    "duplicate": _("charged twice"),
    "fraudulent": _("the cardholder did not authorize it"),
    "incorrect_account_details": _("the account details were wrong"),
    "insufficient_funds": _("insufficient funds"),
    "product_not_received": _("not received"),
    "product_unacceptable": _("not as described"),
    "subscription_canceled": _("canceled before"),
    "unrecognized": _("the cardholder does not recognize it"),
}


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def open(self) -> DisputeQuerySet:
        """The bank has not decided yet."""
        return self.filter(status=Dispute.Status.OPEN)


class Dispute(models.Model):
    """A payment that the cardholder's bank asks back, for a purchase or an invoice.

    `withdrawn_at` and `reinstated_at` are when the gateway last told that the money was
    taken and given back; the later of the two says where it is now. Amounts are
    nano-USD, whole cents.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        WON = "won", _("The payment stands")
        LOST = "lost", _("The money went back")

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="disputes"
    )
    payment = models.ForeignKey(
        Payment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="disputes",
        verbose_name=_("payment"),
    )
    invoice = models.ForeignKey(
        Invoice,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="disputes",
        verbose_name=_("invoice"),
    )
    gateway = models.CharField(_("gateway"), max_length=20)
    gateway_id = models.CharField(_("gateway ID"), max_length=100)
    amount_nanos = models.BigIntegerField(_("amount (nano-USD)"))
    status = models.CharField(_("status"), max_length=4, choices=Status)
    # The bank only asks so far, and has taken nothing.
    is_inquiry = models.BooleanField(_("inquiry"), default=False)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    opened_at = models.DateTimeField(_("opened"))
    evidence_due_at = models.DateTimeField(_("answer due"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("money taken"), null=True, blank=True)
    reinstated_at = models.DateTimeField(_("money given back"), null=True, blank=True)
    # The moment of the latest news that was kept; older news change nothing.
    told_at = models.DateTimeField(_("last told"))

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "gateway_id"], name="one_row_per_dispute"
            ),
            models.CheckConstraint(
                condition=Q(amount_nanos__gt=0), name="dispute_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "won", "lost"]),
                name="dispute_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(payment__isnull=False, invoice__isnull=True)
                | Q(payment__isnull=True, invoice__isnull=False),
                name="dispute_is_of_a_payment_or_an_invoice",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization"],
                condition=Q(status="open"),
                name="disputes_open",
            ),
        ]

    def __str__(self) -> str:
        return self.gateway_id

    @property
    def is_out(self) -> bool:
        """Whether the disputed money is away now."""
        if self.withdrawn_at is None:
            return False
        return self.reinstated_at is None or self.reinstated_at < self.withdrawn_at

    @property
    def taken_nanos(self) -> int:
        """What is away now."""
        return self.amount_nanos if self.is_out else 0

    @property
    def reason_text(self) -> str:
        """Why, in the reader's language; empty where the gateway says nothing known."""
        return str(DISPUTE_REASONS.get(self.reason, ""))

    @property
    def as_audited(self) -> dict[str, object]:
        """What the audit keeps of it (C8)."""
        return {
            "status": self.status,
            "amount_nanos": self.amount_nanos,
            "taken_nanos": self.taken_nanos,
        }


class InvoiceRefundQuerySet(models.QuerySet["InvoiceRefund"]):
    def not_failed(self) -> InvoiceRefundQuerySet:
        """Given back, or on the way."""
        return self.exclude(failed_at__isnull=False)

    def unnamed(self) -> InvoiceRefundQuerySet:
        """Known by a charge's sum alone, not by an ID of its own yet."""
        return self.not_failed().filter(gateway_id="")


class InvoiceRefund(models.Model):
    """Money of an invoice's payment that was given back at the gateway; the invoice
    itself stays as it was issued.
    """

    invoice = models.ForeignKey(
        Invoice,
        on_delete=models.PROTECT,
        related_name="refunds",
        verbose_name=_("invoice"),
    )
    gateway_id = models.CharField(_("gateway ID"), max_length=100, blank=True)
    amount_nanos = models.BigIntegerField(_("amount (nano-USD)"))
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    refunded_at = models.DateTimeField(_("refunded"))
    failed_at = models.DateTimeField(_("failed"), null=True, blank=True)
    failure = models.CharField(_("gateway's message"), max_length=300, blank=True)

    objects = InvoiceRefundQuerySet.as_manager()

    class Meta:
        verbose_name = _("refund of an invoice")
        verbose_name_plural = _("refunds of invoices")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "gateway_id"],
                condition=~Q(gateway_id=""),
                name="one_row_per_invoice_refund",
            ),
            models.CheckConstraint(
                condition=Q(amount_nanos__gt=0), name="invoice_refund_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.gateway_id or f"#{self.pk}"
