"""Counters kept in the transaction that records the events, so that checks and pages
never add up events (E8).

`audit_books` proves each of them against the events and adjustments behind it.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization, Tier
from billing.models.limits import countable
from billing.models.surfaces import MOST_LETTERS

SPEND = ("included_nanos", "extra_nanos", "unbilled_nanos")


class FundedCounter(models.Model):
    """A sum of events: how many, and what they cost by who pays (nano-USD)."""

    included_nanos = models.BigIntegerField(default=0)
    extra_nanos = models.BigIntegerField(default=0)
    unbilled_nanos = models.BigIntegerField(default=0)
    events = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"#{self.pk}"


class MemberMonth(FundedCounter):
    """What one member used in one billing month, by who pays (nano-USD)."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="months", db_index=False
    )
    month_on = models.DateField(_("month"))

    class Meta:
        verbose_name = _("member month")
        verbose_name_plural = _("member months")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "month_on"], name="one_counter_per_member_month"
            ),
            countable("member_month", *SPEND),
        ]


class OrganizationMonth(FundedCounter):
    """What one organization used in one billing month, by who pays (nano-USD)."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="months", db_index=False
    )
    month_on = models.DateField(_("month"))

    class Meta:
        verbose_name = _("organization month")
        verbose_name_plural = _("organization months")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "month_on"],
                name="one_counter_per_organization_month",
            ),
            countable("organization_month", *SPEND),
        ]


class OrganizationDay(models.Model):
    """An organization's extra usage of one local day on one surface (nano-USD), for the
    chart and the projection.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="days", db_index=False
    )
    day_on = models.DateField(_("day"))
    surface = models.CharField(_("surface"), max_length=MOST_LETTERS)
    extra_nanos = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("organization day")
        verbose_name_plural = _("organization days")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "day_on", "surface"],
                name="one_counter_per_day_surface",
            ),
            countable("organization_day", "extra_nanos"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class UsageDay(FundedCounter):
    """What one member used on one local day by surface, model and the seat then held:
    the ground of all reports.

    `seat_tier` is empty for no seat. Amounts are nano-USD.
    """

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="days", db_index=False
    )
    day_on = models.DateField(_("day"))
    surface = models.CharField(_("surface"), max_length=MOST_LETTERS)
    model = models.CharField(_("model"), max_length=300)
    seat_tier = models.CharField(_("seat"), max_length=10, choices=Tier, blank=True)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("usage day")
        verbose_name_plural = _("usage days")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "day_on", "surface", "model", "seat_tier"],
                name="one_counter_per_usage_day",
            ),
            countable("usage_day", *SPEND),
        ]


class UsageMonth(models.Model):
    """What one member's extra usage of one billing month cost on one surface by one
    model: the ground of invoices.

    Events only: what was booked later is a line of its own. `prepaid` as the events
    say. Amounts are nano-USD.
    """

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    month_on = models.DateField(_("month"))
    surface = models.CharField(_("surface"), max_length=MOST_LETTERS)
    model = models.CharField(_("model"), max_length=300)
    prepaid = models.BooleanField(_("prepaid"))
    events = models.BigIntegerField(default=0)
    extra_nanos = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("usage month")
        verbose_name_plural = _("usage months")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "month_on", "surface", "model", "prepaid"],
                name="one_counter_per_usage_month",
            ),
            countable("usage_month", "extra_nanos"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
