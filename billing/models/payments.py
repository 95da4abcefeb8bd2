"""Payments, and the card behind them.

A row is written before the gateway is asked, so nothing is lost (T5).
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from config.kit.retried import RetriedQuerySet

# Longer than a gateway may take to answer; then somebody else asks again, with the same
# key.
GATEWAY_ANSWERS_WITHIN = dt.timedelta(minutes=2)


class PaymentCardQuerySet(models.QuerySet["PaymentCard"]):
    def of_gateway_in_use(self) -> PaymentCardQuerySet:
        """Customers of the gateway that new payments go to."""
        return self.filter(gateway=settings.PAYMENT_GATEWAY)

    def chargeable(self) -> PaymentCardQuerySet:
        """Cards that the gateway in use can charge: a customer without a card is none."""
        return self.of_gateway_in_use().exclude(card_id="")


class PaymentCard(models.Model):
    """The customer a gateway knows an organization by, and the card it charges.

    Card numbers never come here.
    """

    organization = models.OneToOneField(
        Organization,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="payment_card",
    )
    gateway = models.CharField(_("gateway"), max_length=20)
    customer_id = models.CharField(_("customer"), max_length=100)
    card_id = models.CharField(_("card"), max_length=100, blank=True)
    brand = models.CharField(_("brand"), max_length=30, blank=True)
    last4 = models.CharField(_("last four digits"), max_length=4, blank=True)
    expires_on = models.DateField(_("expires"), null=True, blank=True)
    saved_at = models.DateTimeField(_("saved"), null=True, blank=True)

    objects = PaymentCardQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment card")
        verbose_name_plural = _("payment cards")

    def __str__(self) -> str:
        return f"{self.brand} {self.last4}".strip() or f"#{self.pk}"


class PaymentQuerySet(RetriedQuerySet["Payment"]):
    next_try_field = "next_check_at"
    tries_field = "checks"
    claim_lasts = GATEWAY_ANSWERS_WITHIN

    def in_flight(self) -> PaymentQuerySet:
        """The gateway was or will be asked and its answer is not known yet."""
        return self.filter(status=Payment.Status.STARTED)

    def unsettled(self) -> PaymentQuerySet:
        """In flight, or waiting for the owner's bank."""
        return self.filter(status__in=Payment.OPEN)

    def unfinished(self) -> PaymentQuerySet:
        """See `RetriedQuerySet`."""
        return self.unsettled()

    def reloads(self) -> PaymentQuerySet:
        """Bought by auto-reload."""
        return self.filter(purpose=Payment.Purpose.RELOAD)

    def counting(self) -> PaymentQuerySet:
        """Made, or perhaps made: what counts against the limits of auto-reload."""
        return self.filter(
            status__in=[Payment.Status.STARTED, Payment.Status.SUCCEEDED]
        )


# What Stripe (https://docs.stripe.com/declines/codes) and the test gateway say most
# often, in the reader's language.
DECLINED = _("Your card was declined.")
DECLINE_WORDS = {
    "card_declined": DECLINED,
    "generic_decline": DECLINED,
    "do_not_honor": DECLINED,
    "lost_card": DECLINED,
    "stolen_card": DECLINED,
    "insufficient_funds": _("Your card has insufficient funds."),
    "expired_card": _("Your card has expired."),
    "authentication_required": _(
        "Your card was declined. This transaction requires authentication."
    ),
    "processing_error": _("An error occurred while your card was processed."),
}


class Payment(models.Model):
    """One purchase of balance.

    `key` is the idempotency key: however often the gateway is asked, it pays once.
    """

    class Purpose(models.TextChoices):
        PURCHASE = "purchase", _("Purchase")
        RELOAD = "reload", _("Auto-reload")

    class Status(models.TextChoices):
        STARTED = "started", _("Being settled")
        ACTION = "action", _("Waiting for your bank")
        SUCCEEDED = "succeeded", _("Paid")
        DECLINED = "declined", _("Declined")
        CANCELED = "canceled", _("Canceled")

    OPEN = (Status.STARTED, Status.ACTION)

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="payments"
    )
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose)
    amount_nanos = models.BigIntegerField(_("amount (nano-USD)"))
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.STARTED
    )
    key = models.CharField(_("idempotency key"), max_length=64, unique=True)
    gateway = models.CharField(_("gateway"), max_length=20)
    customer_id = models.CharField(_("customer"), max_length=100)
    card_id = models.CharField(_("card"), max_length=100)
    card_label = models.CharField(_("card"), max_length=60)
    gateway_id = models.CharField(
        _("gateway ID"), max_length=100, blank=True, db_index=True
    )
    action_url = models.CharField(max_length=1000, blank=True)
    decline_code = models.CharField(_("decline code"), max_length=60, blank=True)
    decline_message = models.CharField(
        _("gateway's message"), max_length=300, blank=True
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("bought by"),
    )
    created_at = models.DateTimeField(_("started"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    # While somebody asks the gateway, the end of their claim; then when to ask again.
    next_check_at = models.DateTimeField(_("next check"))
    checks = models.PositiveSmallIntegerField(_("checks"), default=0)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status="started"),
                name="one_payment_in_flight",
            ),
            models.CheckConstraint(
                condition=Q(amount_nanos__gt=0), name="payment_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "started",
                        "action",
                        "succeeded",
                        "declined",
                        "canceled",
                    ]
                ),
                name="payment_status_is_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                condition=Q(status__in=["started", "action"]),
                name="payments_unsettled",
            ),
            models.Index(
                fields=["organization", "created_at"], name="payments_of_organization"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def decline_text(self) -> str:
        """Why it was declined, in the reader's language where the code is a usual one,
        else in the gateway's words.
        """
        return str(DECLINE_WORDS.get(self.decline_code) or self.decline_message)


class GatewayNotice(models.Model):
    """A webhook that was worked off: the same one again changes nothing.

    One about money that went back, of a payment that nobody here knows yet, waits:
    `payment_intent` names that payment at the gateway, `waiting` keeps what was told.
    """

    gateway = models.CharField(_("gateway"), max_length=20)
    notice_id = models.CharField(_("id"), max_length=100)
    kind = models.CharField(_("kind"), max_length=80)
    received_at = models.DateTimeField(_("received"))
    payment = models.ForeignKey(
        Payment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("payment"),
    )
    payment_intent = models.CharField(
        _("payment at the gateway"), max_length=100, blank=True, default=""
    )
    waiting = models.JSONField(_("waiting"), null=True, blank=True)

    class Meta:
        verbose_name = _("gateway notice")
        verbose_name_plural = _("gateway notices")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "notice_id"], name="one_row_per_gateway_notice"
            )
        ]
        indexes = [
            models.Index(
                fields=["payment_intent"],
                condition=Q(waiting__isnull=False),
                name="notices_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.notice_id
