"""Whom invoices bill, as the organization's owners say, and on which terms.

Tax and days to pay are the operators'. Each document copies all of it when it is issued.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from config.kit.one_line import validate_line, validate_lines


class BillingDetails(models.Model):
    """The buyer, the tax and the terms of an organization's next invoices.

    An organization without a row has the defaults: no tax, 30 days to pay.
    """

    organization = models.OneToOneField(
        Organization,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="billing_details",
    )
    legal_name = models.CharField(
        _("legal name"), max_length=200, blank=True, validators=[validate_line]
    )
    address = models.TextField(
        _("address"), max_length=500, blank=True, validators=[validate_lines]
    )
    tax_id = models.CharField(
        _("tax number"), max_length=60, blank=True, validators=[validate_line]
    )
    reference = models.CharField(
        _("your reference"), max_length=100, blank=True, validators=[validate_line]
    )
    # Thousandths of a percent: 8.875 % is 8875, exact where a decimal column would be a
    # float on SQLite.
    tax_rate = models.PositiveIntegerField(
        _("tax rate (thousandths of a percent)"), default=0, db_default=0
    )
    tax_label = models.CharField(
        _("tax name"), max_length=40, blank=True, validators=[validate_line]
    )
    due_days = models.PositiveSmallIntegerField(
        _("days to pay"), default=30, db_default=30
    )

    class Meta:
        verbose_name = _("billing details")
        verbose_name_plural = _("billing details")
        constraints = [
            models.CheckConstraint(
                condition=Q(tax_rate__lte=100_000), name="tax_rate_is_at_most_all"
            ),
            models.CheckConstraint(
                condition=Q(due_days__lte=365), name="due_days_are_at_most_a_year"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
