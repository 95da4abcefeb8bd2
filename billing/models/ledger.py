"""The prepaid balance: an append-only ledger, and the extra usage that has not entered
it yet (T2).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization
from accounts.models.privacy import pseudonyms
from billing.models.limits import countable
from billing.models.months import OPEN_MONTH
from billing.models.payments import Payment
from billing.models.refunds import Refund
from billing.models.returns import Dispute


class EntryKind(models.TextChoices):
    PURCHASE = "purchase", _("Purchase")
    RELOAD = "reload", _("Auto-reload")
    CHARGE = "charge", _("Usage")
    REFUND = "refund", _("Refund")
    DISPUTE = "dispute", _("Dispute")
    CREDIT = "credit", _("Credit")
    ADJUSTMENT = "adjustment", _("Adjustment")


class LedgerEntry(models.Model):
    """One movement of a balance, in nano-USD; never edited, never deleted.

    What lowers the balance is negative.

    A charge rolls up what one member used on one day, of the events up to
    `events_through` (and adjustments up to `adjustments_through`) that no earlier
    charge of that member and day holds.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="ledger", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=10, choices=EntryKind)
    amount_nanos = models.BigIntegerField(_("amount (nano-USD)"))
    balance_nanos = models.BigIntegerField(_("balance after (nano-USD)"))
    created_at = models.DateTimeField(_("booked"))
    # The billing month it belongs to: that of the day used, for usage booked after
    # midnight; else that of booking.
    month_on = models.DateField(_("billing month"))
    payment = models.ForeignKey(
        Payment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entries",
        verbose_name=_("payment"),
    )
    refund = models.ForeignKey(
        Refund,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entries",
        verbose_name=_("refund"),
    )
    dispute = models.ForeignKey(
        Dispute,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entries",
        verbose_name=_("dispute"),
    )
    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("member"),
    )
    day_on = models.DateField(_("day"), null=True, blank=True)
    events_through = models.BigIntegerField(null=True, blank=True, editable=False)
    adjustments_through = models.BigIntegerField(null=True, blank=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("booked by"),
    )
    # What may be booked once: the showing of an operator's form.
    key = models.CharField(
        _("form key"), max_length=64, blank=True, default="", db_default=""
    )

    append_only = True
    exemptions = (pseudonyms("reason"),)
    guards = (OPEN_MONTH,)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(kind__in=["purchase", "reload"]),
                name="one_entry_per_payment",
            ),
            models.UniqueConstraint(
                fields=["refund"],
                condition=Q(kind="refund"),
                name="one_entry_per_refund",
            ),
            models.UniqueConstraint(
                fields=["refund"],
                condition=Q(kind="adjustment"),
                name="one_reversal_per_refund",
            ),
            models.UniqueConstraint(
                fields=["organization", "key"],
                condition=~Q(key=""),
                name="one_entry_per_key",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=EntryKind.values), name="ledger_kind_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["purchase", "reload"])
                | Q(payment__isnull=False, amount_nanos__gt=0),
                name="bought_entry_names_its_payment",
            ),
            models.CheckConstraint(
                condition=~Q(kind="refund")
                | Q(refund__isnull=False, amount_nanos__lt=0),
                name="refund_entry_names_its_refund",
            ),
            models.CheckConstraint(
                condition=~Q(kind="dispute") | Q(dispute__isnull=False),
                name="dispute_entry_names_its_dispute",
            ),
            models.CheckConstraint(
                condition=~Q(kind="charge")
                | Q(membership__isnull=False, day_on__isnull=False),
                name="charge_entry_names_member_and_day",
            ),
            models.CheckConstraint(
                condition=~Q(kind="credit") | Q(amount_nanos__gt=0),
                name="credit_is_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "id"], name="ledger_of_organization"),
            models.Index(fields=["organization", "month_on"], name="ledger_of_month"),
            models.Index(
                fields=["membership", "day_on"],
                condition=Q(membership__isnull=False),
                name="charges_of_member_and_day",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PendingCharge(models.Model):
    """Extra usage of one member and day that is not in the ledger yet; what it counts
    lowers the balance at once.

    Positive is owed. Recording adds to it, rolling up empties it.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="pending_charges"
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day_on = models.DateField(_("day"))
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=[
            (EntryKind.CHARGE, _("Usage")),
            (EntryKind.ADJUSTMENT, _("Adjustment")),
        ],
    )
    amount_nanos = models.BigIntegerField(_("amount (nano-USD)"))

    class Meta:
        verbose_name = _("charge not yet rolled up")
        verbose_name_plural = _("charges not yet rolled up")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "day_on", "kind"],
                name="one_pending_charge_per_member_day",
            ),
            countable("pending_charge", "amount_nanos"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
