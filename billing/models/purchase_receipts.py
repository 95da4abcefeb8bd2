"""Receipts of purchases: what was paid for a balance, by whom, and the tax in it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from billing.models.payments import Payment


class PurchaseReceipt(models.Model):
    """The receipt of one payment, written when the money came; never edited.

    Amounts are whole cents, in nano-USD. `total_nanos` is what was charged, tax
    included: it is what the balance was lifted by.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="purchase_receipts"
    )
    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, related_name="receipt"
    )
    sequence = models.PositiveIntegerField(_("sequence"))
    number = models.CharField(_("number"), max_length=80)
    subtotal_nanos = models.BigIntegerField(_("subtotal (nano-USD)"))
    tax_label = models.CharField(_("tax name"), max_length=40, blank=True)
    tax_rate = models.PositiveIntegerField(
        _("tax rate (thousandths of a percent)"), default=0
    )
    tax_nanos = models.BigIntegerField(_("tax (nano-USD)"), default=0)
    total_nanos = models.BigIntegerField(_("total (nano-USD)"))
    zone = models.CharField(_("time zone"), max_length=64)
    # As they were on the day of issue.
    seller = models.JSONField(_("seller"), default=dict)
    buyer = models.JSONField(_("buyer"), default=dict)
    issued_at = models.DateTimeField(_("issued"))

    append_only = True

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sequence"], name="one_receipt_per_sequence"
            ),
            models.UniqueConstraint(
                fields=["organization", "number"], name="one_receipt_per_number"
            ),
            models.CheckConstraint(
                condition=Q(
                    total_nanos=models.F("subtotal_nanos") + models.F("tax_nanos")
                ),
                name="receipt_total_is_subtotal_and_tax",
            ),
        ]

    def __str__(self) -> str:
        return self.number
