"""Statements of prepaid months: a balance from its opening to its close (P2).

They say what the ledger says; `audit_books` compares the two.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization
from accounts.models.privacy import pseudonyms
from billing.models.months import MonthReopening


class StatementQuerySet(models.QuerySet["Statement"]):
    """Which statements count."""

    def standing(self) -> StatementQuerySet:
        """All but those of closes that were taken back."""
        taken_back = MonthReopening.objects.filter(
            organization=OuterRef("organization"),
            month_on=OuterRef("month_on"),
            edition=OuterRef("edition"),
        )
        return self.exclude(Exists(taken_back))


class Statement(models.Model):
    """One month of one ledger by kind of entry, in nano-USD; never edited.

    What lowered the balance is negative.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="statements"
    )
    month_on = models.DateField(_("month"))
    # Which close of the month wrote it (`BillingMonth`).
    edition = models.PositiveSmallIntegerField(_("close"), default=1, db_default=1)
    opening_nanos = models.BigIntegerField(_("opening balance (nano-USD)"))
    purchases_nanos = models.BigIntegerField(_("purchases (nano-USD)"), default=0)
    reloads_nanos = models.BigIntegerField(_("auto-reloads (nano-USD)"), default=0)
    charges_nanos = models.BigIntegerField(_("usage (nano-USD)"), default=0)
    refunds_nanos = models.BigIntegerField(_("refunds (nano-USD)"), default=0)
    disputes_nanos = models.BigIntegerField(
        _("disputes (nano-USD)"), default=0, db_default=0
    )
    credits_nanos = models.BigIntegerField(_("credits (nano-USD)"), default=0)
    adjustments_nanos = models.BigIntegerField(_("adjustments (nano-USD)"), default=0)
    closing_nanos = models.BigIntegerField(_("closing balance (nano-USD)"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    zone = models.CharField(_("time zone"), max_length=64)
    seller = models.JSONField(_("seller"), default=dict)
    buyer = models.JSONField(_("buyer"), default=dict)
    issued_at = models.DateTimeField(_("issued"))

    objects = StatementQuerySet.as_manager()
    append_only = True

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        ordering = ["-month_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "month_on", "edition"],
                name="one_statement_per_close",
            ),
            models.CheckConstraint(
                condition=Q(
                    closing_nanos=F("opening_nanos")
                    + F("purchases_nanos")
                    + F("reloads_nanos")
                    + F("charges_nanos")
                    + F("refunds_nanos")
                    + F("disputes_nanos")
                    + F("credits_nanos")
                    + F("adjustments_nanos")
                ),
                name="statement_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month_on:%Y-%m}"


class StatementLine(models.Model):
    """What one member's usage took from the balance in a month, in nano-USD.

    Charges are negative; adjustments of earlier charges stand beside them.
    """

    statement = models.ForeignKey(
        Statement, on_delete=models.PROTECT, related_name="lines", db_index=False
    )
    position = models.PositiveIntegerField(_("position"))
    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    member_name = models.CharField(_("person"), max_length=200)
    member_email = models.CharField(_("e-mail"), max_length=254)
    charges_nanos = models.BigIntegerField(_("usage (nano-USD)"))
    adjustments_nanos = models.BigIntegerField(_("adjustments (nano-USD)"), default=0)

    append_only = True
    exemptions = (pseudonyms("member_name", "member_email"),)

    class Meta:
        verbose_name = _("statement line")
        verbose_name_plural = _("statement lines")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "position"], name="one_statement_line_per_position"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
