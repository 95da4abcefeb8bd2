"""Billing months that are closing or closed (P2).

The row says how far a close came, so that anybody can take it up where it was left.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from config.kit.append_only import Guard, InsertGuard


class BillingMonthQuerySet(models.QuerySet["BillingMonth"]):
    """How far months came."""

    def unfinished(self) -> BillingMonthQuerySet:
        """Frozen, and not closed to the end."""
        return self.exclude(state=BillingMonth.State.CLOSED)


class BillingMonth(models.Model):
    """One month of one organization from its freezing on.

    A month without a row is open, or lies before all others.

    `starts_at` <= instant < `ends_at` in UTC; `zone` names its days, whatever zone
    holds later.
    """

    class State(models.TextChoices):
        FROZEN = "frozen", _("Frozen")
        DRAFTED = "drafted", _("Drafted")
        CLOSED = "closed", _("Closed")

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="billing_months"
    )
    month_on = models.DateField(_("month"))
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    zone = models.CharField(_("time zone"), max_length=64)
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.FROZEN
    )
    frozen_at = models.DateTimeField(_("frozen"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = BillingMonthQuerySet.as_manager()
    guards = (
        Guard("is_kept", "DELETE", "a closed month is kept"),
        Guard(
            "stays_closed",
            "UPDATE",
            "a closed month is not changed",
            when="OLD.state = 'closed'",
        ),
    )

    class Meta:
        verbose_name = _("billing month")
        verbose_name_plural = _("billing months")
        ordering = ["-month_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "month_on"], name="one_close_per_month"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["frozen", "drafted", "closed"]),
                name="month_state_is_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization"],
                condition=~models.Q(state="closed"),
                name="months_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month_on:%Y-%m}"


# A closed month takes nothing more in (P2). Months close in order, so one date says
# which; events, adjustments and ledger entries carry this guard.
OPEN_MONTH = InsertGuard(
    "month_is_open",
    "the billing month is closed",
    "EXISTS (SELECT 1 FROM billing_billingaccount account WHERE account.organization_id"
    " = new.organization_id AND new.month_on <= account.frozen_through_on)",
)
