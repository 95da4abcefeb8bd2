"""Spend caps at three levels (C1, C2): what holds now.

Who changed them, from what to what, is in the audit.
"""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization, Tier
from billing.models.limits import at_most
from config.kit.money import MAX_AMOUNT_NANOS


class CapLevel(models.TextChoices):
    ORGANIZATION = "organization", _("Organization")
    SEAT_TIER = "seat_tier", _("Seat tier")
    MEMBER = "member", _("Member")


class SpendCap(models.Model):
    """A monthly limit of extra usage in nano-USD; empty means unlimited.

    While `month_on` is the current month, `month_amount_nanos` holds instead of
    `amount_nanos`; afterwards it is simply no longer looked at, so the cap falls back
    without a job (C2).
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="spend_caps"
    )
    level = models.CharField(_("level"), max_length=12, choices=CapLevel)
    seat_tier = models.CharField(
        _("seat tier"), max_length=10, choices=Tier, null=True, blank=True
    )
    membership = models.ForeignKey(
        Membership,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="spend_caps",
        db_index=False,
    )
    amount_nanos = models.BigIntegerField(_("amount (nano-USD)"), null=True, blank=True)
    month_on = models.DateField(
        _("month with a different amount"), null=True, blank=True
    )
    month_amount_nanos = models.BigIntegerField(
        _("amount that month (nano-USD)"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("spend cap")
        verbose_name_plural = _("spend caps")
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(level="organization"),
                name="one_organization_cap",
            ),
            models.UniqueConstraint(
                fields=["organization", "seat_tier"],
                condition=models.Q(level="seat_tier"),
                name="one_cap_per_seat_tier",
            ),
            models.UniqueConstraint(
                fields=["membership"],
                condition=models.Q(level="member"),
                name="one_cap_per_member",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    level="organization",
                    seat_tier__isnull=True,
                    membership__isnull=True,
                )
                | models.Q(
                    level="seat_tier",
                    seat_tier__in=Tier.values,
                    membership__isnull=True,
                )
                | models.Q(
                    level="member", seat_tier__isnull=True, membership__isnull=False
                ),
                name="spend_cap_names_what_it_caps",
            ),
            models.CheckConstraint(
                condition=models.Q(amount_nanos__isnull=True)
                | models.Q(amount_nanos__gte=0),
                name="spend_cap_is_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(month_amount_nanos__isnull=True)
                | models.Q(month_amount_nanos__gte=0, month_on__isnull=False),
                name="month_cap_is_not_negative_and_names_its_month",
            ),
            at_most(
                "spend_cap_could_be_real",
                MAX_AMOUNT_NANOS,
                "amount_nanos",
                "month_amount_nanos",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def amount_in(self, month_on: dt.date) -> int | None:
        """The amount in force in the month that starts on `month_on`, in nano-USD; None
        is unlimited.
        """
        return (
            self.month_amount_nanos if self.month_on == month_on else self.amount_nanos
        )

    def is_for_month_only(self, month_on: dt.date) -> bool:
        """Whether the amount of that month falls back when it ends."""
        return self.month_on == month_on
