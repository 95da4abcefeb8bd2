"""An organization's extra usage: on or off, for whom (C6, C7), and, prepaid, its
balance and auto-reload (T2, T4).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization
from billing.models.limits import countable
from billing.models.months import CLOSED_AND_NOT_TAKEN_BACK
from config.kit.append_only import Guard, LookupGuard


class ExtraUsageScope(models.TextChoices):
    EVERYONE = "everyone", _("Everyone")
    SELECTED = "selected", _("Selected members")


class SetupStep(models.TextChoices):
    """Where a prepaid organization's owner left the flow that enables extra usage (T1)."""

    PAY = "pay", _("Pay")
    RELOAD = "reload", _("Auto-reload")
    CAP = "cap", _("Spend cap")
    WHOM = "whom", _("Who gets it")


class BillingAccount(models.Model):
    """The switch, balance and auto-reload of one organization.

    Amounts are nano-USD.

    The balance is `ledger_nanos - pending_nanos`: the ledger's sum less the extra usage
    not yet rolled up (T2). Both are kept under the organization's lock; `audit_books`
    proves them.
    """

    organization = models.OneToOneField(
        Organization,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="billing_account",
    )
    extra_usage_enabled = models.BooleanField(
        _("extra usage"), default=False, db_default=False
    )
    scope = models.CharField(
        _("for whom"),
        max_length=10,
        choices=ExtraUsageScope,
        default=ExtraUsageScope.EVERYONE,
        db_default="everyone",
    )
    # Whether a member is asked before extra usage begins (N5).
    confirmation_required = models.BooleanField(
        _("ask before extra usage begins"), default=False, db_default=False
    )
    ledger_nanos = models.BigIntegerField(
        _("ledger (nano-USD)"), default=0, db_default=0
    )
    pending_nanos = models.BigIntegerField(
        _("not yet rolled up (nano-USD)"), default=0, db_default=0
    )

    auto_reload_enabled = models.BooleanField(
        _("auto-reload"), default=False, db_default=False
    )
    reload_threshold_nanos = models.BigIntegerField(
        _("reload when balance reaches (nano-USD)"), null=True, blank=True
    )
    reload_amount_nanos = models.BigIntegerField(
        _("reload amount (nano-USD)"), null=True, blank=True
    )
    # Most that auto-reload buys in a month; empty: the organization's cap (T4).
    reload_limit_nanos = models.BigIntegerField(
        _("monthly reload limit (nano-USD)"), null=True, blank=True
    )
    # A series of declines (T5): when it began, how many there were, when the next try is due.
    reload_declined_at = models.DateTimeField(
        _("first declined"), null=True, blank=True
    )
    reload_declines = models.PositiveSmallIntegerField(
        _("declines"), default=0, db_default=0
    )
    reload_retry_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    # When a series of declines switched auto-reload off; empty again once it is set anew.
    reload_ended_at = models.DateTimeField(
        _("switched off after declines"), null=True, blank=True
    )
    # The latest month that is closed: months close in order, and the database adds
    # nothing to one up to it (P2).
    frozen_through_on = models.DateField(_("closed through"), null=True, blank=True)
    setup_step = models.CharField(
        _("setup step"),
        max_length=8,
        choices=SetupStep,
        blank=True,
        db_default="",
    )

    guards = (
        Guard(
            "is_kept",
            "DELETE",
            "closed months are kept",
            when="OLD.frozen_through_on IS NOT NULL",
        ),
        LookupGuard(
            "months_stay_closed",
            "UPDATE OF frozen_through_on",
            "a closed month is not opened again",
            when=CLOSED_AND_NOT_TAKEN_BACK,
        ),
    )

    class Meta:
        verbose_name = _("billing account")
        verbose_name_plural = _("billing accounts")
        constraints = [
            models.CheckConstraint(
                condition=Q(scope__in=ExtraUsageScope.values),
                name="extra_usage_scope_is_known",
            ),
            models.CheckConstraint(
                condition=Q(auto_reload_enabled=False)
                | Q(
                    reload_threshold_nanos__isnull=False,
                    reload_amount_nanos__isnull=False,
                ),
                name="auto_reload_has_threshold_and_amount",
            ),
            models.CheckConstraint(
                condition=Q(reload_threshold_nanos__isnull=True)
                | Q(reload_threshold_nanos__gte=0),
                name="reload_threshold_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(reload_amount_nanos__isnull=True)
                | Q(reload_amount_nanos__gt=0),
                name="reload_amount_is_positive",
            ),
            models.CheckConstraint(
                condition=Q(reload_limit_nanos__isnull=True)
                | Q(reload_limit_nanos__gte=0),
                name="reload_limit_is_not_negative",
            ),
            countable("balance", "ledger_nanos", "pending_nanos"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def balance_nanos(self) -> int:
        """What may still be spent; below zero only by requests in flight (T3)."""
        return self.ledger_nanos - self.pending_nanos

    @property
    def auto_reload_as_audited(self) -> dict[str, object]:
        """What the audit keeps of auto-reload (C8)."""
        if not self.auto_reload_enabled:
            return {"auto_reload": False}
        return {
            "auto_reload": True,
            "threshold_nanos": self.reload_threshold_nanos,
            "reload_nanos": self.reload_amount_nanos,
            "limit_nanos": self.reload_limit_nanos,
        }


class SelectedMember(models.Model):
    """A member for whom extra usage is on while the scope is `selected`; kept while it
    is not.
    """

    membership = models.OneToOneField(
        Membership,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="selected_for_extra_usage",
    )

    class Meta:
        verbose_name = _("selected member")
        verbose_name_plural = _("selected members")

    def __str__(self) -> str:
        return f"#{self.pk}"
