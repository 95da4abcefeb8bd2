"""Billing months that are closing or closed (P2).

The row says how far a close came, so that anybody can take it up where it was left.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from config.kit.append_only import Guard, InsertGuard, LookupGuard

NOT_TAKEN_BACK = (
    "NOT EXISTS (SELECT 1 FROM billing_monthreopening r WHERE r.organization_id ="
    " OLD.organization_id AND r.month_on = OLD.month_on AND r.edition = OLD.edition)"
)
# Of billing accounts: the latest closed month goes back one, for the close that is just
# being taken back.
CLOSED_AND_NOT_TAKEN_BACK = (
    "OLD.frozen_through_on IS NOT NULL AND (NEW.frozen_through_on IS NULL OR"
    " NEW.frozen_through_on < OLD.frozen_through_on) AND NOT EXISTS (SELECT 1 FROM"
    " billing_monthreopening r JOIN billing_billingmonth m ON m.organization_id ="
    " r.organization_id AND m.month_on = r.month_on AND m.edition = r.edition WHERE"
    " r.organization_id = OLD.organization_id AND r.month_on = OLD.frozen_through_on AND"
    " r.closed_through_on = NEW.frozen_through_on)"
)
# Only the latest month, closed to the end, whose invoice nobody owes any more.
MAY_NOT_REOPEN = (
    "NOT EXISTS (SELECT 1 FROM billing_billingmonth m JOIN billing_billingaccount a ON"
    " a.organization_id = m.organization_id AND a.frozen_through_on = m.month_on WHERE"
    " m.organization_id = new.organization_id AND m.month_on = new.month_on AND m.edition"
    " = new.edition AND m.state = 'closed') OR EXISTS (SELECT 1 FROM billing_invoice i"
    " WHERE i.organization_id = new.organization_id AND i.month_on = new.month_on AND"
    " i.status <> 'void')"
)


class BillingMonthQuerySet(models.QuerySet["BillingMonth"]):
    """How far months came."""

    def unfinished(self) -> BillingMonthQuerySet:
        """Frozen, and not closed to the end."""
        return self.exclude(state=BillingMonth.State.CLOSED)


class BillingMonth(models.Model):
    """One month of one organization from its freezing on.

    A month without a row is open, or lies before all others. A close that is taken back
    leaves a `MonthReopening`, and only that lets its row go.

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
    # Which close of the month this is: one more than were taken back.
    edition = models.PositiveSmallIntegerField(_("close"), default=1, db_default=1)

    objects = BillingMonthQuerySet.as_manager()
    guards = (
        LookupGuard("is_kept", "DELETE", "a closed month is kept", when=NOT_TAKEN_BACK),
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


class MonthReopening(models.Model):
    """A close that came too early and was taken back: what it had closed, when, and why
    it is open again.

    Its invoice is void and keeps its number; its statement counts no more.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="month_reopenings"
    )
    month_on = models.DateField(_("month"))
    edition = models.PositiveSmallIntegerField(_("close"))
    # The latest closed month from then on.
    closed_through_on = models.DateField(_("closed through"))
    frozen_at = models.DateTimeField(_("frozen"))
    closed_at = models.DateTimeField(_("closed"))
    reopened_at = models.DateTimeField(_("open again"))
    reopened_by = models.CharField(_("reopened by"), max_length=100)
    reason = models.CharField(_("reason"), max_length=300)
    # Which rows of the month its documents had: all up to these ids.
    events_through = models.BigIntegerField(_("events up to"))
    adjustments_through = models.BigIntegerField(_("adjustments up to"))

    append_only = True
    guards = (
        InsertGuard(
            "is_the_latest",
            "only the latest closed month without an invoice to pay is opened again",
            MAY_NOT_REOPEN,
        ),
    )

    class Meta:
        verbose_name = _("reopened month")
        verbose_name_plural = _("reopened months")
        ordering = ["-month_on", "-edition"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "month_on", "edition"],
                name="one_reopening_per_close",
            )
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
