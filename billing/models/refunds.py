"""Refunds of purchases: by operators, and made at the gateway (T7).

A row is written before the gateway is asked, so nothing is lost (T5).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.payments import GATEWAY_ANSWERS_WITHIN, Payment
from config.kit.retried import RetriedQuerySet


class RefundQuerySet(RetriedQuerySet["Refund"]):
    next_try_field = "next_check_at"
    tries_field = "checks"
    claim_lasts = GATEWAY_ANSWERS_WITHIN

    def unfinished(self) -> RefundQuerySet:
        """See `RetriedQuerySet`."""
        return self.filter(status=Refund.Status.STARTED)

    def not_failed(self) -> RefundQuerySet:
        """Given back, or on the way: what of a payment is not refundable any more."""
        return self.exclude(status=Refund.Status.FAILED)

    def unnamed(self) -> RefundQuerySet:
        """Made at the gateway and known by the sum of its charge alone, not by an ID of
        its own yet.
        """
        return self.not_failed().filter(created_by__isnull=True, gateway_id="")


class Refund(models.Model):
    """Money of one payment going back to its card: by an operator, with the reason (T7),
    or made at the gateway, then without an operator and with the gateway's code for why.
    """

    class Status(models.TextChoices):
        STARTED = "started", _("Being settled")
        SUCCEEDED = "succeeded", _("Refunded")
        FAILED = "failed", _("Failed")

    payment = models.ForeignKey(
        Payment,
        on_delete=models.PROTECT,
        related_name="refunds",
        verbose_name=_("payment"),
    )
    amount_nanos = models.BigIntegerField(_("amount (nano-USD)"))
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.STARTED
    )
    key = models.CharField(_("idempotency key"), max_length=64, unique=True)
    reason = models.CharField(_("reason"), max_length=300)
    gateway_id = models.CharField(
        _("gateway ID"), max_length=100, blank=True, db_index=True
    )
    failure = models.CharField(_("gateway's message"), max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("refunded by"),
    )
    created_at = models.DateTimeField(_("started"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    next_check_at = models.DateTimeField(_("next check"))
    checks = models.PositiveSmallIntegerField(_("checks"), default=0)

    objects = RefundQuerySet.as_manager()

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_nanos__gt=0), name="refund_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["started", "succeeded", "failed"]),
                name="refund_status_is_known",
            ),
            # Asking again about one of the gateway's own would make another one.
            models.CheckConstraint(
                condition=~Q(status="started") | Q(created_by__isnull=False),
                name="refund_in_flight_is_ours",
            ),
            models.UniqueConstraint(
                fields=["payment", "gateway_id"],
                condition=~Q(gateway_id=""),
                name="one_refund_per_gateway_id",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_from_gateway(self) -> bool:
        """Made at the gateway, by nobody here."""
        return self.created_by_id is None
