"""Included usage: what a seat comes with (data, by plan and tier) and each member's
windows of it (I1-I3).
"""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Plan, Tier
from billing.models.limits import AtMost, at_most, countable
from config.kit.money import MAX_AMOUNT_NANOS


class WindowName(models.TextChoices):
    SESSION = "session", _("Session")
    WEEK = "week", _("Week")


class SeatAllowance(models.Model):
    """How much a seat includes in one kind of window, measured in nano-USD at API rates."""

    plan = models.CharField(_("plan"), max_length=20, choices=Plan)
    seat_tier = models.CharField(_("seat tier"), max_length=10, choices=Tier)
    name = models.CharField(_("window"), max_length=10, choices=WindowName)
    length_seconds = models.PositiveIntegerField(_("length in seconds"))
    amount_nanos = models.BigIntegerField(
        _("included (nano-USD)"), validators=[AtMost(MAX_AMOUNT_NANOS)]
    )

    class Meta:
        verbose_name = _("seat allowance")
        verbose_name_plural = _("seat allowances")
        ordering = ["plan", "seat_tier", "length_seconds"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "seat_tier", "name"], name="one_allowance_per_window"
            ),
            models.CheckConstraint(
                condition=models.Q(amount_nanos__gte=0),
                name="allowance_is_not_negative",
            ),
            at_most("allowance_could_be_real", MAX_AMOUNT_NANOS, "amount_nanos"),
            models.CheckConstraint(
                condition=models.Q(length_seconds__gt=0), name="allowance_has_a_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.seat_tier} {self.name}"

    @property
    def length(self) -> dt.timedelta:
        """How long a window is open."""
        return dt.timedelta(seconds=self.length_seconds)


class IncludedWindow(models.Model):
    """One window of one member, from its first included event until `resets_at`.

    Kept as history.

    `used_nanos` counts the included events in it. `exhausted_at` is when it ran out,
    for the owner's figures.
    """

    membership = models.ForeignKey(
        Membership,
        on_delete=models.CASCADE,
        related_name="included_windows",
        db_index=False,
    )
    name = models.CharField(_("window"), max_length=10, choices=WindowName)
    opened_at = models.DateTimeField(_("opened"))
    resets_at = models.DateTimeField(_("resets"))
    used_nanos = models.BigIntegerField(_("used (nano-USD)"), default=0)
    exhausted_at = models.DateTimeField(_("used up"), null=True, blank=True)
    is_latest = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("included window")
        verbose_name_plural = _("included windows")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "name", "opened_at"],
                name="one_window_per_opening",
            ),
            models.UniqueConstraint(
                fields=["membership", "name"],
                condition=models.Q(is_latest=True),
                name="one_latest_window_per_name",
            ),
            countable("included_window", "used_nanos"),
        ]
        indexes = [
            models.Index(
                fields=["membership", "exhausted_at"],
                condition=models.Q(exhausted_at__isnull=False),
                name="windows_that_ran_out",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
