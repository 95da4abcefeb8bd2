"""The test gateway's own record, as Stripe would keep it on its side: what it was asked
and what it did.

Only `billing.payments.gateways.sandbox` writes here; the ledger never reads it, so each
can be held against the other.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SandboxPayment(models.Model):
    """One payment the test gateway was asked for, by its idempotency key.

    `lost`: the first request never arrived.
    """

    key = models.CharField(_("idempotency key"), max_length=64, unique=True)
    customer_id = models.CharField(_("customer"), max_length=100)
    card_id = models.CharField(_("card"), max_length=100)
    amount_cents = models.BigIntegerField(_("amount (cents)"))
    status = models.CharField(_("status"), max_length=40)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("test gateway's payment")
        verbose_name_plural = _("test gateway's payments")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.key


class SandboxRefund(models.Model):
    """One refund the test gateway was asked for."""

    key = models.CharField(_("idempotency key"), max_length=64, unique=True)
    payment = models.ForeignKey(
        SandboxPayment, on_delete=models.PROTECT, related_name="refunds"
    )
    amount_cents = models.BigIntegerField(_("amount (cents)"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("test gateway's refund")
        verbose_name_plural = _("test gateway's refunds")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.key
